"""Tables of a filing page: cells that know their headers and their number.

Example row: ``("total debt", "$ 6,225.2", "-26 ( 26 )", "27.0%", "n/a")``. FinQA prints a negative
accounting value twice (``-26 ( 26 )``) and a percentage twice (``27.0% ( 27.0 % )``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NUMBER_CHARS = 64
_DIGITS = r"(?:\d[\d,]*(?:\.\d*)?|\.\d+)"
_TWICE = re.compile(rf"(-?\s*{_DIGITS}\s*%?)\s*\(\s*-?\s*{_DIGITS}\s*%?\s*\)\s*%?")
# The tail is a second printing of a negative percentage that lost its number: "( 23 ) % (  % )".
_IN_PARENTHESES = re.compile(rf"\(\s*({_DIGITS})\s*(%?)\s*\)\s*(%?)(?:\s*\(\s*%\s*\))?")
_PLAIN = re.compile(rf"(-?)\s*({_DIGITS})\s*(%?)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LEADING_DASH = re.compile(r"^[\u2212\u2010\u2011\u2012\u2013](?=\s*[\d.])")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as printed: ``27.0%`` is ``Number(27.0, percent=True)``."""

    value: float
    percent: bool = False


def clean_cell(text: str) -> str:
    """A cell as prompts show it: ``$ 60.94`` is ``60.94``, ``-26 ( 26 )`` is ``-26``."""
    text = " ".join(text.split())
    bare = text.removeprefix("$").strip()
    if len(bare) > MAX_NUMBER_CHARS:
        return text
    twice = _TWICE.fullmatch(bare)
    bare = twice.group(1) if twice else bare
    if _PLAIN.fullmatch(bare):
        return bare.replace(" ", "").replace(",", "")
    return text


def parse_number(text: str) -> Number | None:
    """The number that a cell holds, or None: ``$ ( 1,234 )`` is -1234, ``n/a`` is None."""
    bare = " ".join(text.replace("$", " ").split())
    if len(bare) > MAX_NUMBER_CHARS:
        return None
    bare = _LEADING_DASH.sub("-", bare)
    twice = _TWICE.fullmatch(bare)
    bare = twice.group(1).strip() if twice else bare
    negative = _IN_PARENTHESES.fullmatch(bare)
    if negative:
        digits, inside, outside = negative.groups()
        return Number(-float(digits.replace(",", "")), bool(inside or outside))
    plain = _PLAIN.fullmatch(bare)
    if plain is None:
        return None
    sign, digits, percent = plain.groups()
    value = float(digits.replace(",", ""))
    return Number(-value if sign else value, bool(percent))


@dataclass(frozen=True, slots=True)
class Cell:
    """One body cell; ``row`` and ``column`` index ``Table.rows`` (row 0 is the header)."""

    text: str
    row: int
    column: int
    row_header: str
    column_header: str
    number: Number | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; row 0 is the header and column 0 holds the row headers."""

    rows: tuple[tuple[str, ...], ...]

    def cells(self) -> Iterator[Cell]:
        """Every body cell, row by row."""
        header = self.rows[0] if self.rows else ()
        for row_index, row in enumerate(self.rows[1:], start=1):
            for column, text in enumerate(row[1:], start=1):
                above = header[column] if column < len(header) else ""
                yield Cell(text, row_index, column, row[0], above, parse_number(text))


def with_header(table: Table) -> Table:
    """The table with an empty first row where its own holds figures: ``("2013", "$ 516")``."""
    first = table.rows[0] if table.rows else ()
    if any(parse_number(text) and not _YEAR.fullmatch(clean_cell(text)) for text in first[1:]):
        return Table((("",) * len(first), *table.rows))
    return table
