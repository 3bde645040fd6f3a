"""Conversations on their pages in another scale: "in millions" becomes "in thousands".

``rescaled(sample, seed=0)`` multiplies the amounts of the table and of the gold programs by one
thousand, or divides them, and executes the programs again, so that the answers follow. Rates,
prices, counts and percentages stay as they are. A conversation that cannot follow gives None: one
that speaks of a scale itself, converts between scales, or takes a number from a sentence. Asked for
as "scale-aware augmentation" by a published ConvFinQA adapter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from crossfoot.arithmetic.program import TABLE_OPS, parse, reference
from crossfoot.errors import ProgramError
from crossfoot.pages.page import Page
from crossfoot.pages.places import find_number
from crossfoot.pages.scale import FACTORS, find_scale
from crossfoot.pages.table import Table, parse_number, with_header
from crossfoot.pages.units import row_name
from crossfoot.tasks.base import Sample
from crossfoot.tasks.synthetic.generate import labelled

_SCALES = tuple(FACTORS)  # each a thousand of the one before
_SCALE_WORD = re.compile(r"thousand|million|billion", re.IGNORECASE)
_NO_AMOUNT = re.compile(
    r"\b(?:rates?|ratios?|percent(?:age)?s?|margins?|number of|shares?|employees|prices?|years"
    r"|index)\b|%"
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
_CONVERSIONS = frozenset(("const_1000", "const_1000000", "const_1000000000"))
_SIZES = frozenset(("const_10", "const_100"))
_STARTS_AT_100 = re.compile(r"\$? ?100(?:\.0+)?")  # a performance of $ 100 invested


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """A page in another scale: its rows of amounts, and the power of ten they moved by."""

    page: Page
    amounts: frozenset[str]
    shift: int


def rescaled(sample: Sample, seed: int) -> Sample | None:
    """The conversation on its page in another scale; all those of a page share the new page."""
    asked = [(turn.question, turn.gold.program) for turn in sample.turns if turn.gold is not None]
    rewriting = _rewrite(sample.page, seed)
    if rewriting is None or any(_SCALE_WORD.search(question) for question, _ in asked):
        return None
    try:
        following = [(question, _follow(text, sample.page, rewriting)) for question, text in asked]
    except ProgramError:
        return None
    turns = labelled(following, rewriting.page)
    return Sample(f"rescaled/{seed}/{sample.sample_id}", rewriting.page, turns) if turns else None


def _rewrite(page: Page, seed: int) -> _Rewriting | None:
    """The page in the scale next to its own; None where its scale or its amounts are not plain."""
    scale = find_scale(page)
    word = _SCALE_WORD.search(scale.caption) if scale else None
    plain = bool(page.table.rows) and with_header(page.table) is page.table
    if scale is None or word is None or not plain:
        return None
    header, *rows = page.table.rows
    if any(_NO_AMOUNT.search(text.lower()) for text in header):
        return None
    own = _SCALES.index(word.group())
    rng = Random(f"crossfoot/rescaled/{seed}/{page.page_id}")
    new = rng.choice([place for place in (own - 1, own + 1) if 0 <= place < len(_SCALES)])
    shift = 3 * (own - new)
    caption = scale.caption.replace(word.group(), _SCALES[new])

    def said(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(text.replace(scale.caption, caption) for text in texts)

    moved: list[tuple[str, ...]] = []
    amounts: set[str] = set()
    for index, row in enumerate(rows, start=1):
        if _has_amounts(row):
            amounts.add(row_name(index))
            moved.append((row[0], *(_shifted(text, shift) for text in row[1:])))
        elif row and scale.caption in row[0]:  # the caption would change and the numbers not
            return None
        else:
            moved.append(row)
    new_page = Page(
        f"{page.page_id}/{_SCALES[new]}",
        said(page.before),
        Table((said(header), *map(said, moved))),
        said(page.after),
    )
    found = find_scale(new_page)
    if found is None or found.factor != FACTORS[_SCALES[new]]:
        return None
    return _Rewriting(new_page, frozenset(amounts), shift)


def _has_amounts(row: Sequence[str]) -> bool:
    """Whether the numbers of a row are amounts of money in the page's scale."""
    if not row or _NO_AMOUNT.search(row[0].lower()):
        return False
    return not any("%" in text or _STARTS_AT_100.fullmatch(text) for text in row[1:])


def _shifted(text: str, shift: int) -> str:
    """A cell with its number moved by powers of ten, twice where it is printed twice."""
    if parse_number(text) is None:
        return text
    return _NUMBER.sub(lambda found: _moved(found.group(), shift), text)


def _moved(literal: str, shift: int) -> str:
    return format(Decimal(literal.replace(",", "")).scaleb(shift), "f")


def _follow(text: str, page: Page, rewriting: _Rewriting) -> str:
    """The program with its amounts in the new scale; ProgramError where it cannot follow."""
    program = parse(text)
    if program.number is not None:
        return _operand(program.number, page, rewriting)
    steps = []
    for step in program.steps:
        if step.op not in TABLE_OPS:
            arguments = (step.first, step.second)
            if step.op not in ("multiply", "divide") and _SIZES & set(arguments):
                raise ProgramError("it compares an amount with a number of no scale")
            first, second = (_operand(argument, page, rewriting) for argument in arguments)
            step = replace(step, first=first, second=second)
        steps.append(str(step))
    return ", ".join(steps)


def _operand(argument: str, page: Page, rewriting: _Rewriting) -> str:
    """An argument in the new scale: amounts of the table move, shares and constants stay."""
    if reference(argument) is not None or argument.endswith("%"):
        return argument
    if argument.startswith("const_"):
        if argument in _CONVERSIONS:
            raise ProgramError("it converts between scales")
        return argument
    places = find_number(page, argument)
    if not places or any(place.quote or place.unit not in rewriting.amounts for place in places):
        raise ProgramError(f"{argument} is no amount of the table alone")
    sign = "-" if argument.startswith("-") else ""
    return sign + _moved(argument.removeprefix("-"), rewriting.shift)
