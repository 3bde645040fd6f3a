"""What a synthetic page measures: lines, slots, and the grid of their figures.

Example: the line "net sales" and the slot "2016" of a grid hold the literal ``4871.5``, printed as
``$ 4871.5``. Source: the table shapes of the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["money", "percent", "shares", "price", "count", "index", "years"]
# "stacked": one column, the lines of a year below those of the year before. "bare": one column
# without a header row. "changes": a last column of percentage changes.
Printed = Literal["plain", "stacked", "bare", "changes"]
Scale = Literal["", "thousands", "millions", "billions"]


@dataclass(frozen=True, slots=True)
class Line:
    """Something measured; ``names`` are the ways in which a question may call it."""

    header: str
    names: tuple[str, ...]
    kind: Kind = "money"
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A period or a category; ``wheres`` follow a question's line, ``short`` stands alone.

    ``year`` orders dated slots.
    """

    header: str
    short: str
    wheres: tuple[str, ...]
    year: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """Figures by line and slot, as clean literals; "" where the page prints none.

    ``total`` is the line that sums the ``parts``, ``total_slot`` the slot that sums the others;
    ``dated`` says that the slots are years.
    """

    lines: tuple[Line, ...]
    slots: tuple[Slot, ...]
    literals: tuple[tuple[str, ...], ...]
    scale: Scale = ""
    dated: bool = True
    total: int | None = None
    parts: tuple[int, ...] = ()
    total_slot: int | None = None
    in_table: bool = True
    lines_are_rows: bool = True
    printed: Printed = "plain"

    def literal(self, line: int, slot: int) -> str:
        """The literal of a line in a slot."""
        return self.literals[line][slot]

    def filled(self, line: int) -> list[int]:
        """The slots in which the line has a figure other than zero."""
        return [i for i, text in enumerate(self.literals[line]) if text and value_of(text) != 0.0]


def value_of(literal: str) -> float:
    """The value of a clean literal: ``27%`` is 0.27."""
    return float(literal[:-1]) / 100.0 if literal.endswith("%") else float(literal)
