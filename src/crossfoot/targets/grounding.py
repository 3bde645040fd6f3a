"""Cell grounding: a sentence before the call that says where each number stands.

``grounding(gold, questions, known)`` of "what was the total debt in 2015?" is ``Cells: total debt:
2016 = 6225.2; 2015 = 5879 -> 2015 = 5879``: the row of the labelled page to the letter, then the
cells that are wanted in the order in which the program takes them. A small model that has found the
row copies it to its end, and picks from what it has just written; a cell that it names without the
row gets the number of another one, and a row that it has to leave at the right cell it leaves too
late. Sentences are quoted from their beginning up to the number, long ones from the first word that
was asked for. Numbers that were grounded or computed in an earlier turn are not said again. Of
several places the one whose headers have most words of the conversation counts; a number that
stands nowhere is left out.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from crossfoot.arithmetic.program import TABLE_OPS, parse, reference
from crossfoot.errors import ProgramError
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import (
    labelled_cells,
    page_line,
    render_labelled,
    row_label,
    row_of_line,
    unescaped,
)
from crossfoot.pages.page import Page
from crossfoot.pages.places import Place, find_number
from crossfoot.pages.scale import find_scale
from crossfoot.pages.table import clean_cell, with_header
from crossfoot.pages.units import row_name

WORDS_BEFORE = 20  # of a sentence, before its number
WORDS_WHOLE = 40  # from the beginning of the sentence
WORDS_UNASKED = 8  # where no word of it was asked for
LETTERS = 4  # of a word that tells a sentence from others
# Words that tell no sentence from another: of any question, and of dates.
NO_TELLING = frozenset(
    ("amount", "much", "that", "this", "value", "were", "what", "which", "from", "year", "years")
) | {month.lower() for month in calendar.month_name[1:]}
WIDE = 8  # cells of a row
PICK = " -> "
MAX_CELLS = 50
CELLS = "Cells: "
TEXT = "text"
SCALE = "scale"
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


def grounding(
    gold: Gold,
    questions: Sequence[str],
    known: Collection[str],
    *,
    scale: bool = False,
) -> str:
    """The sentence for one turn: ``Cells: a: 2016 = 1; 2015 = 2 -> 2016 = 1 | b: 3``; "" for none.

    It begins with a word of its own: whether to name a cell is one choice, and which one another.
    Without it greedy decoding never names any, as no single cell is as likely as a call.

    ``questions`` are those of the conversation so far, the last one asked now; ``known`` are the
    numbers that need no words any more; ``scale`` reads the page's caption before its rows.
    """
    if gold.page is None:
        return ""
    page = replace(gold.page, table=with_header(gold.page.table))
    words = [frozenset(_WORD.findall(question.lower())) for question in questions]
    columns: dict[int, list[int]] = {}
    sentences: list[str] = []
    for literal in operands_as_written(gold):
        if literal in known:
            continue
        place = meant(page, literal, questions)
        if place is not None and place.quote:
            sentences += _quoted(literal, place, page, words)
        elif place is not None:
            row, column = _cell(literal, place, page)
            columns.setdefault(row, []).append(column)
        else:
            for row in _rows_called(literal, page):
                columns.setdefault(row, [])
    rows = [_row(page, row, wanted) for row, wanted in columns.items()]
    caption = find_scale(page) if scale and rows else None
    first = [f"{SCALE}: {caption.caption}"] if caption else []
    said = " | ".join([*first, *rows, *sentences])
    return said and f"{CELLS}{said}"


def said_cells(text: str) -> list[str]:
    """The cells that a reply's sentence names, each once: ``["total debt: 2016 = 6225.2"]``."""
    cells: dict[str, None] = {}
    if not text.startswith(CELLS):
        return []
    for part in text.removeprefix(CELLS).split("\n", 1)[0].split(" | ")[:MAX_CELLS]:
        head, separator, tails = part.partition(": ")
        if separator and head == TEXT:
            cells[part] = None
        elif separator:
            for tail in tails.replace(PICK, "; ").split("; ")[:MAX_CELLS]:
                cells[f"{head}: {tail}"] = None
    return list(cells)


def false_cells(text: str, page: Page) -> list[str]:
    """Those of the cells that a reply names which do not stand so on the page."""
    rows: dict[str, set[str]] = {}
    for line in render_labelled(page.table).split("\n"):
        head, cells = row_of_line(line)
        rows.setdefault(head, set()).update(cells)
    headers = [*(row[0] for row in page.table.rows if row), *(page.table.rows or [()])[0]]
    sentences = " ".join(map(page_line, (*page.before, *page.after, *headers)))
    wrong = []
    for cell in said_cells(text):
        head, _, tail = cell.partition(": ")
        if head == SCALE and head not in rows:
            scale = find_scale(page)
            found = scale is not None and scale.caption == tail
        else:
            found = tail in sentences if head == TEXT else tail in rows.get(head, ())
        if not found:
            wrong.append(cell)
    return wrong


def unseen_quotes(text: str, shown: Iterable[str]) -> list[str]:
    """Those of the sentences that a reply quotes which stand in none of the texts ``shown``."""
    quotes = [cell for cell in said_cells(text) if cell.startswith(f"{TEXT}: ")]
    texts = [unescaped(one) for one in shown] if quotes else []
    return [cell for cell in quotes if not any(cell[len(TEXT) + 2 :] in one for one in texts)]


def meant(page: Page, literal: str, questions: Sequence[str]) -> Place | None:
    """Of a number's places the one that shares most words with the last question.

    Where several share as many, the questions before it decide.
    """
    asked = [frozenset(_WORD.findall(question.lower())) for question in reversed(questions)]

    def score(place: Place) -> tuple[float, ...]:
        mine = frozenset(_WORD.findall(f"{place.row_header} {place.column_header}".lower()))
        mine = mine or frozenset(_WORD.findall(place.quote.lower()))
        return tuple(len(mine & words) for words in asked)

    return max(find_number(page, literal), key=score, default=None)


def _cell(literal: str, place: Place, page: Page) -> tuple[int, int]:
    """Row and column of a number's place; of columns with one header the one that holds it."""
    cells = [
        cell
        for cell in page.table.cells()
        if row_name(cell.row) == place.unit and cell.column_header == place.column_header
    ]
    number = literal.strip("-%")
    cell = next((cell for cell in cells if clean_cell(cell.text).strip("-%") == number), cells[0])
    return cell.row, cell.column


def _row(page: Page, row: int, wanted: Sequence[int]) -> str:
    """A row of the labelled page and the cells wanted of it; of a wide one those between them."""
    cells = labelled_cells(page.table, row)
    if wanted and len(cells) > WIDE:
        cells = {at: cells[at] for at in cells if min(wanted) <= at <= max(wanted)}
    said = f"{row_label(page.table.rows[row][0])}: {'; '.join(cells.values())}".strip()
    picked = "; ".join(cells[at] for at in dict.fromkeys(wanted)) if len(cells) > 1 else ""
    return f"{said}{PICK}{picked}" if picked else said


def _quoted(
    literal: str, place: Place, page: Page, questions: Sequence[frozenset[str]]
) -> list[str]:
    """A sentence up to a number: ``text: interest totaled $ 189``.

    Nothing where the sentence writes the number in another way (168,000 or 168.0).
    """
    quote = page_line(place.quote.strip("."))
    found = re.search(rf"(?<![\d.,]){re.escape(literal)}(?![\d,.]*\d)", quote)
    if found is None:
        return []
    texts = (page_line(text) for text in (*page.before, *page.after))
    paragraph = next((text for text in texts if quote in text), quote)
    before = paragraph[: paragraph.index(quote) + found.start()].rsplit(" . ", 1)[-1]
    if len(before.split()) <= WORDS_WHOLE:
        return [f"{TEXT}: {' '.join([*before.split(), literal])}"]
    words = before.split()[-WORDS_BEFORE:]
    asked = {word for question in questions for word in question if _tells(word)}
    start = next((i for i, word in enumerate(words) if word in asked), -WORDS_UNASKED)
    return [f"{TEXT}: {' '.join([*words[start:], literal])}"]


def _tells(word: str) -> bool:
    """Whether a word of a question may tell one sentence from others."""
    return len(word) >= LETTERS and word not in NO_TELLING and not word.isdigit()


def _rows_called(header: str, page: Page) -> list[int]:
    """The first row of that name, if there is one."""
    rows = enumerate(page.table.rows)
    return [index for index, row in rows if index and row and row[0] == header][:1]
