"""Cell grounding: a sentence before the call that says where each number stands.

``grounding(gold, questions, known)`` of "what was the total debt in 2016?" is ``Cells: total debt:
2016 = 6225.2``, in the very words of the labelled page, so that finding a number is copying what
stands around it; a number of a sentence is quoted with the words before it. Numbers that were
grounded or computed in an earlier turn are not said again. Of several places the one whose headers
have most words of the conversation counts; a number that stands nowhere is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from crossfoot.arithmetic.program import TABLE_OPS, parse, reference
from crossfoot.errors import ProgramError
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import page_line, render_labelled, row_label
from crossfoot.pages.page import Page
from crossfoot.pages.places import Place, find_number
from crossfoot.pages.table import clean_cell, with_header
from crossfoot.pages.units import row_name

WORDS_BEFORE = 8
MAX_CELLS = 50
CELLS = "Cells: "
TEXT = "text"
_WORD = re.compile(r"[a-z0-9]+")


def operands_as_written(gold: Gold) -> list[str]:
    """The numbers that a gold program takes from its page, and names of rows, each once."""
    try:
        program = parse(gold.program)
    except ProgramError:
        return []
    if program.number is not None:
        return [program.number]
    found: dict[str, None] = {}
    for step in program.steps:
        for argument in (step.first, *([] if step.op in TABLE_OPS else [step.second])):
            if reference(argument) is None and not argument.startswith("const"):
                found[argument] = None
    return list(found)


def grounding(gold: Gold, questions: Sequence[str], known: Iterable[str]) -> str:
    """The sentence for one turn: ``Cells: a: 2016 = 1; 2015 = 2 | b: 2016 = 3``; "" for none.

    It begins with a word of its own: whether to name a cell is one choice, and which one another.
    Without it greedy decoding never names any, as no single cell is as likely as a call.

    ``questions`` are those of the conversation so far, the last one asked now; ``known`` are the
    numbers that need no words any more.
    """
    if gold.page is None:
        return ""
    page = replace(gold.page, table=with_header(gold.page.table))
    words = [frozenset(_WORD.findall(question.lower())) for question in questions]
    by_row: dict[str, list[str]] = {}
    sentences: list[str] = []
    for literal in operands_as_written(gold):
        if literal in set(known):
            continue
        place = _best(find_number(page, literal), words)
        if place is not None:
            if place.quote:
                sentences += _quoted(literal, page_line(place.quote))
            else:
                by_row.setdefault(row_label(place.row_header), []).append(_cell(place, page))
        elif _has_row(literal, page):
            by_row.setdefault(row_label(literal), [])
    rows = [f"{head}: {'; '.join(cells)}".strip() for head, cells in by_row.items()]
    said = " | ".join([*rows, *sentences])
    return said and f"{CELLS}{said}"


def said_cells(text: str) -> list[str]:
    """The cells that a reply's sentence names, one by one: ``["total debt: 2016 = 6225.2"]``."""
    cells = []
    if not text.startswith(CELLS):
        return []
    for part in text.removeprefix(CELLS).split("\n", 1)[0].split(" | ")[:MAX_CELLS]:
        head, separator, tails = part.partition(": ")
        if separator and head == TEXT:
            cells.append(part)
        elif separator:
            cells += [f"{head}: {tail}" for tail in tails.split("; ")[:MAX_CELLS]]
    return cells


def false_cells(text: str, page: Page) -> list[str]:
    """Those of the cells that a reply names which do not stand so on the page."""
    rows: dict[str, set[str]] = {}
    for line in render_labelled(page.table).split("\n"):
        head, _, tails = line.partition(": ")
        rows.setdefault(head, set()).update(tails.split("; "))
    headers = [*(row[0] for row in page.table.rows if row), *(page.table.rows or [()])[0]]
    sentences = " ".join(map(page_line, (*page.before, *page.after, *headers)))
    wrong = []
    for cell in said_cells(text):
        head, _, tail = cell.partition(": ")
        found = tail in sentences if head == TEXT else tail in rows.get(head, ())
        if not found:
            wrong.append(cell)
    return wrong


def _best(places: Sequence[Place], questions: Sequence[frozenset[str]]) -> Place | None:
    """The place that shares most words with the question, then with those before it."""
    if not places:
        return None

    def score(place: Place) -> tuple[float, ...]:
        mine = frozenset(_WORD.findall(f"{place.row_header} {place.column_header}".lower()))
        mine = mine or frozenset(_WORD.findall(place.quote.lower()))
        return tuple(len(mine & words) for words in reversed(questions))

    return max(places, key=score)


def _cell(place: Place, page: Page) -> str:
    """A cell behind its column header, as the labelled page prints it."""
    cell = next(
        cell
        for cell in page.table.cells()
        if row_name(cell.row) == place.unit and cell.column_header == place.column_header
    )
    above, text = page_line(cell.column_header), page_line(clean_cell(cell.text))
    return f"{above} = {text}" if above else text


def _quoted(literal: str, quote: str) -> list[str]:
    """The last words up to a number: ``text: interest totaled $ 189``.

    Nothing where the sentence writes the number in another way (168,000 or 168.0).
    """
    found = re.search(rf"(?<![\d.,]){re.escape(literal)}(?![\d,.]*\d)", quote)
    if found is None:
        return []
    before = quote[: found.start()].removeprefix("...").split()[-WORDS_BEFORE:]
    return [f"{TEXT}: {' '.join([*before, literal])}"]


def _has_row(header: str, page: Page) -> bool:
    return any(row and row[0] == header for row in page.table.rows)
