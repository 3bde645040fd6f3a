"""What every table layout shares: years, scales, chosen lines, figures, sums.

Example: ``year_slots(rng, 3, balance=False)`` may be the slots 2016, 2015 and 2014. Header styles
after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Scale, Slot, value_of
from crossfoot.tasks.synthetic.numbers import Style, decimals_of, near, series

SMALL_RATE = re.compile(
    r"risk-free|yield|return on|compensation inc|discount rate|interest margin|growth|interest rate"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid and the words before it."""

    grid: Grid
    intro: str
    topic: str


def draw_scale(rng: Random) -> Scale:
    """The scale of the money of a page."""
    scales: tuple[Scale, ...] = ("millions", "thousands", "billions", "")
    return rng.choices(scales, (68, 22, 3, 7))[0]


def year_slots(rng: Random, count: int, balance: bool, future: bool = False) -> tuple[Slot, ...]:
    """Years as column headers, the newest first in most tables."""
    newest = rng.randint(2003, 2019)
    years = [newest - i for i in range(count)]
    if future or rng.random() < 0.12:
        years.reverse()
    month = rng.choices(
        ("december 31", "september 30", "june 30", "march 31", "december 28"), (70, 12, 8, 5, 5)
    )[0]
    style = rng.randrange(10) if not future else 0
    return tuple(year_slot(year, month, style, balance) for year in years)


def year_slot(year: int, month: str, style: int, balance: bool) -> Slot:
    """A year, with the header of a style and the ways in which questions place it."""
    headers = {
        5: f"{month} , {year}",
        6: f"{month} {year}",
        7: f"year ended {month} , {year}",
        8: f"as of {month} , {year}" if balance else f"years ended {month} {year}",
        9: f"fiscal {year}",
    }
    common = (f"in {year}",) * 6 + (f"for {year}", f"in the year of {year}", f"during {year}")
    held = (
        f"at the end of {year}",
        f"by the end of {year}",
        f"as of {month}, {year}",
        f"at {month}, {year}",
        f"as of {year}",
    )
    flow = (f"for the year {year}", f"for the year ended {month}, {year}", f"in fiscal {year}")
    wheres = common + (held if balance else flow)
    return Slot(headers.get(style, str(year)), str(year), wheres, year)


def pick_lines(lines: Sequence[Line], count: int, rng: Random) -> list[Line]:
    """``count`` of the lines, in their order; neighbours in wording come along on purpose."""
    start = rng.randrange(len(lines))
    near_ones = [(start + i) % len(lines) for i in range(min(3, count))]
    others = [i for i in range(len(lines)) if i not in near_ones]
    rng.shuffle(others)
    chosen = sorted((near_ones + others)[:count])
    return [lines[i] for i in chosen]


def fill(lines: Sequence[Line], slots: int, style: Style, rng: Random) -> list[tuple[str, ...]]:
    """Figures for every line; some nearly equal one of the line above."""
    rows: list[tuple[str, ...]] = []
    for line in lines:
        small = line.kind == "percent" and bool(SMALL_RATE.search(line.header))
        negative = line.signed and rng.random() < 0.65
        row = series(line.kind, slots, style, rng, negative, small)
        above = rows[-1] if rows else ()
        if above and lines[len(rows) - 1].kind == line.kind and rng.random() < 0.15:
            place = rng.randrange(slots)
            twin = near(above[place], rng)
            ratio = value_of(twin) / value_of(row[place])
            if twin not in row and twin[0] != "-" and 0.6 < ratio < 1.6:
                row[place] = twin
        rows.append(tuple(row))
    return rows


def add_up(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The sum of each column, with the decimals of the figures."""
    return tuple(sum_of(column) for column in zip(*rows, strict=True))


def sum_of(row: Sequence[str]) -> str:
    """The sum of literals, with their decimals."""
    decimals = max(decimals_of(text) for text in row)
    return f"{sum(float(text) for text in row):.{decimals}f}"
