"""Where a number stands on a page: in a cell, or in a sentence.

``find_number(page, "4918.1")`` of the debt page is the cell "long-term debt, 2016". Values are
compared, so that commas, ``$`` and accounting parentheses do not matter; a number that the page
prints with the other sign is found too, where it does not stand as written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from crossfoot.pages.page import Page
from crossfoot.pages.table import MAX_NUMBER_CHARS, Number, Table, parse_number
from crossfoot.pages.units import row_name, text_name

MAX_PLACES = 50
_IN_TEXT = re.compile(r"(?:(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+")
_PERCENT = re.compile(r"\s?%|\s(?:percent|per cent)\b")
# A hyphen is a sign only where no range or word ends ("2015-2016", "10-k"); "$ ( 26 )" is negative.
_MINUS = re.compile(r"(?:(?<![\w.)%])[-\u2212]\s?\$?|\$\s?\()\s?$")
_SIGN_CHARS = 6
_QUOTE = 40  # characters either side of a number in a sentence


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, known by its headers; or a stretch of text or of a header, quoted.

    ``unit`` is the paragraph or row that holds it, by FinQA's name.
    """

    row_header: str = ""
    column_header: str = ""
    quote: str = ""
    other_sign: bool = False
    unit: str = field(default="", compare=False)

    def describe(self) -> str:
        """For people: ``long-term debt, 2016`` or ``text: "... was $ 121.1 in 2016 ..."``."""
        if self.quote:
            where = f'text: "{self.quote}"'
        else:
            headers = (" ".join(text.split()) for text in (self.row_header, self.column_header))
            where = ", ".join(filter(None, headers)) or "a cell without headers"
        return f"{where} (with the other sign)" if self.other_sign else where


def find_number(page: Page, literal: str) -> tuple[Place, ...]:
    """Places of a number literal, at most ``MAX_PLACES``, cells before sentences."""
    wanted = _literal(literal)
    if wanted is None:
        return ()
    exact: list[Place] = []
    mirrored: list[Place] = []
    for number, place in _numbers(page, wanted):
        if _same(number.value, number.percent, wanted):
            exact.append(place)
        elif len(mirrored) < MAX_PLACES:
            mirrored.append(replace(place, other_sign=True))
        if len(exact) >= MAX_PLACES:
            break
    return tuple(exact or mirrored)


def _literal(literal: str) -> Number | None:
    """A number as an expression writes it, ``1e3`` included."""
    number = parse_number(literal)
    if number is not None or len(literal) > MAX_NUMBER_CHARS:
        return number
    try:
        value = float(literal.removesuffix("%"))
    except ValueError:
        return None
    return Number(value, literal.endswith("%")) if math.isfinite(value) else None


def _numbers(page: Page, wanted: Number) -> Iterator[tuple[Number, Place]]:
    """The numbers of a page that are the wanted one but for the sign, with their places."""
    for cell in page.table.cells():
        place = Place(cell.row_header, cell.column_header, unit=row_name(cell.row))
        if cell.number is None:
            for number, _, _ in _in_text(cell.text, wanted):
                yield number, place
        elif _near(cell.number.value, cell.number.percent, wanted):
            yield cell.number, place
    for unit, text in (*_paragraphs(page), *_headers(page.table)):
        for number, start, end in _in_text(text, wanted):
            yield number, Place(quote=_quote(text, start, end), unit=unit)


def _paragraphs(page: Page) -> Iterator[tuple[str, str]]:
    for index, text in enumerate((*page.before, *page.after)):
        yield text_name(index), text


def _headers(table: Table) -> Iterator[tuple[str, str]]:
    for text in table.rows[0] if table.rows else ():
        yield row_name(0), text
    for index, row in enumerate(table.rows[1:], start=1):
        if row:
            yield row_name(index), row[0]


def _in_text(text: str, wanted: Number) -> Iterator[tuple[Number, int, int]]:
    """The wanted number in a text, with either sign, and where it starts and ends."""
    for found in _IN_TEXT.finditer(text):
        start, end = found.span()
        if end - start > MAX_NUMBER_CHARS:
            continue
        value = float(found.group().replace(",", ""))
        percent = _PERCENT.match(text, end)
        if _near(value, bool(percent), wanted):
            minus = _MINUS.search(text, max(0, start - _SIGN_CHARS), start)
            yield Number(-value if minus else value, bool(percent)), start, end


def _near(value: float, percent: bool, wanted: Number) -> bool:
    return _same(value, percent, wanted) or _same(-value, percent, wanted)


def _same(value: float, percent: bool, wanted: Number) -> bool:
    """Equal, where ``27%`` may be written 27, 27% or 0.27."""
    if _close(value, wanted.value):
        return True
    if percent and not wanted.percent:
        return _close(value / 100, wanted.value)
    return wanted.percent and not percent and _close(value, wanted.value / 100)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * abs(other)


def _quote(text: str, start: int, end: int) -> str:
    """The words around a number; those cut in two are left out."""
    left, right = max(0, start - _QUOTE), min(len(text), end + _QUOTE)
    before, after = text[left:start], text[end:right]
    if left and " " in before:
        before = before[before.index(" ") :]
    if right < len(text) and " " in after:
        after = after[: after.rindex(" ")]
    quote = " ".join(f"{before}{text[start:end]}{after}".split())
    return f"{'...' if left else ''}{quote}{'...' if right < len(text) else ''}"
