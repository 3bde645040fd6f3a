"""Where a number stands on a page: in a cell, or in a sentence.

``find_number(page, "4918.1")`` of the debt page is the cell "long-term debt, 2016". Values are
compared, so that commas, ``$`` and accounting parentheses do not matter; a number that the page
prints with the other sign is found too, after the exact ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfoot.pages.page import Page
from crossfoot.pages.table import Number, parse_number

MAX_PLACES = 50
_IN_TEXT = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s?%)?")
_QUOTE = 40  # characters either side of a number in a sentence


@dataclass(frozen=True, slots=True)
class Place:
    """A cell (``row_header`` and ``column_header``) or a stretch of text (``quote``)."""

    row_header: str = ""
    column_header: str = ""
    quote: str = ""
    other_sign: bool = False

    def describe(self) -> str:
        """For people: ``long-term debt, 2016`` or ``text: "... was $ 121.1 in 2016 ..."``."""
        if self.quote:
            where = f'text: "{self.quote}"'
        else:
            where = ", ".join(part for part in (self.row_header, self.column_header) if part)
            where = where or "a cell without headers"
        return f"{where} (with the other sign)" if self.other_sign else where


def find_number(page: Page, literal: str) -> tuple[Place, ...]:
    """Places of a number literal, at most ``MAX_PLACES``, cells before sentences."""
    wanted = parse_number(literal)
    if wanted is None:
        return ()
    exact: list[Place] = []
    mirrored: list[Place] = []
    for number, place in _numbers(page):
        if _same(number, wanted):
            exact.append(place)
        elif _same(Number(-number.value, number.percent), wanted):
            mirrored.append(
                Place(place.row_header, place.column_header, place.quote, other_sign=True)
            )
        if len(exact) >= MAX_PLACES:
            break
    return tuple((exact or mirrored)[:MAX_PLACES])


def _numbers(page: Page) -> Iterator[tuple[Number, Place]]:
    for cell in page.table.cells():
        if cell.number is not None:
            yield cell.number, Place(cell.row_header, cell.column_header)
        else:
            for found in _IN_TEXT.finditer(cell.text):
                number = parse_number(found.group())
                if number is not None:
                    yield number, Place(cell.row_header, cell.column_header)
    headers = [(text, "header") for row in page.table.rows[:1] for text in row]
    headers += [(row[0], "row header") for row in page.table.rows[1:] if row]
    for text in (*page.before, *page.after, *(text for text, _ in headers)):
        for found in _IN_TEXT.finditer(text):
            number = parse_number(found.group())
            if number is not None:
                yield number, Place(quote=_quote(text, found.start(), found.end()))


def _same(found: Number, wanted: Number) -> bool:
    """Equal, where ``27%`` may be written 27, 27% or 0.27."""
    if abs(found.value - wanted.value) <= 1e-9 * abs(wanted.value):
        return True
    if found.percent and not wanted.percent:
        return abs(found.value / 100 - wanted.value) <= 1e-9 * abs(wanted.value)
    return False


def _quote(text: str, start: int, end: int) -> str:
    left, right = max(0, start - _QUOTE), min(len(text), end + _QUOTE)
    quote = " ".join(text[left:right].split())
    return f"{'...' if left else ''}{quote}{'...' if right < len(text) else ''}"
