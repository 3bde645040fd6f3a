"""Synthetic conversations on real pages.

``draw_on(page, 2, seed=0)`` asks for cells that its table has, or for figures that its sentences
tell, and computes with them, in the words of the synthetic pages. A page that is encoded once for
its own questions is asked many more at the price of the questions alone. Source of the pages: FinQA
(Chen et al. 2021, https://github.com/czyssrs/FinQA).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from random import Random

from crossfoot.pages.page import Page
from crossfoot.pages.scale import find_scale
from crossfoot.pages.table import clean_cell, with_header
from crossfoot.tasks.base import Sample
from crossfoot.tasks.synthetic.asking import Asked, Plan
from crossfoot.tasks.synthetic.conversations import join_plans
from crossfoot.tasks.synthetic.figures import Grid, Kind, Line, Scale, Slot, value_of
from crossfoot.tasks.synthetic.filling import year_slot
from crossfoot.tasks.synthetic.generate import labelled
from crossfoot.tasks.synthetic.on_sentences import Fact, facts_of, talk_about
from crossfoot.tasks.synthetic.over_columns import two_columns, worth
from crossfoot.tasks.synthetic.over_lines import performance, portion, two_lines, wander
from crossfoot.tasks.synthetic.over_years import (
    change,
    greater,
    growth,
    ratio,
    scaled,
    totals,
    whole_row,
)
from crossfoot.tasks.synthetic.wording import Voice

_ATTEMPTS = 20
_MIN_LINES = 2
_MAX_HEADER = 80  # characters; longer ones are sentences
_YEAR = re.compile(r"(?<!\d)(?:19[89]|20[0-4])\d(?!\d)")
_DATE = re.compile(r"\b(?:january|march|june|september|december) \d{1,2}\b")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)%?")
_OF_SENTENCES = 0.35  # share of what is asked about sentences, where they tell anything
_DASHES = ("2014", "2013")  # how FinQA's files have a dash
_NOT_WORDS = re.compile(r"\(.*?\)|[:*]")

# Real conversations compute at once in every second of their first turns.
_PLANS: tuple[tuple[Plan, int], ...] = (
    (wander, 25),
    (change, 40),
    (growth, 8),
    (ratio, 6),
    (totals, 12),
    (greater, 5),
    (whole_row, 6),
    (scaled, 8),
    (portion, 25),
    (two_lines, 35),
    (performance, 20),
    (two_columns, 30),
    (worth, 30),
)


def draw_on(page: Page, count: int, seed: int) -> list[Sample]:
    """Up to ``count`` conversations on a page; none where neither table nor sentences are plain."""
    grid, facts = grid_of(page), facts_of(page)
    if grid is None and not facts:
        return []
    samples = []
    for index in range(count):
        for attempt in range(_ATTEMPTS):
            rng = Random(f"crossfoot/{seed}/{page.page_id}/{index}/{attempt}")
            turns = labelled(join_plans(partial(_plan, grid, facts, rng), rng), page)
            if turns:
                samples.append(Sample(f"drawn/{seed}/{page.page_id}/{index}", page, turns))
                break
    return samples


def _plan(grid: Grid | None, facts: list[Fact], rng: Random) -> Asked | None:
    if grid is None or (facts and rng.random() < _OF_SENTENCES):
        return talk_about(facts, rng)
    plans, weights = zip(*_PLANS, strict=True)
    plan: Plan = rng.choices(plans, weights)[0]
    return plan(Voice(rng, grid, grid.lines), rng)


def grid_of(page: Page) -> Grid | None:
    """The table's figures by line and period or column; None where headers do not tell cells."""
    table = with_header(page.table)
    rows = [row for row in table.rows[1:] if row]
    header = table.rows[0] if table.rows else ()
    width = len(header)
    body = [[_literal(row[i]) if i < len(row) else "" for i in range(1, width)] for row in rows]
    down = [row[0] for row in rows]
    turned = _are_years(down) and not _are_years(header[1:])
    if turned:
        lines_of, slots_of = list(header[1:]), down
        body = [list(column) for column in zip(*body, strict=True)]
    else:
        lines_of, slots_of = down, list(header[1:])
    kept = _told_apart(lines_of, body)
    slots = _slots(slots_of)
    if slots is None or len(kept) < _MIN_LINES:
        return None
    dated = slots[0].year > 0
    lines = tuple(_line(lines_of[i], body[i]) for i in kept)
    literals = tuple(tuple(body[i]) for i in kept)
    total, parts = _total(lines, literals)
    scale = find_scale(page)
    words: dict[float, Scale] = {1e3: "thousands", 1e6: "millions", 1e9: "billions"}
    return Grid(
        lines,
        slots,
        literals,
        words.get(scale.factor, "") if scale else "",
        dated,
        total,
        parts,
        lines_are_rows=not turned,
    )


def _literal(text: str) -> str:
    """A cell as programs write it; "" where it holds no number."""
    clean = clean_cell(text)
    return clean if _NUMBER.fullmatch(clean) and clean not in _DASHES else ""


def _are_years(headers: Sequence[str]) -> bool:
    years = [_YEAR.findall(text) for text in headers if text]
    return bool(years) and all(len(found) == 1 for found in years)


def _told_apart(headers: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    """The lines that have figures and a header of their own."""
    return [
        index
        for index, header in enumerate(headers)
        if _name(header)
        and len(header) <= _MAX_HEADER
        and any(text and value_of(text) != 0.0 for text in body[index])
        and sum(_name(other) == _name(header) for other in headers) == 1
    ]


def _name(header: str) -> str:
    return " ".join(_NOT_WORDS.sub(" ", header.lower()).split())


def _slots(headers: Sequence[str]) -> tuple[Slot, ...] | None:
    if _are_years(headers) and all(headers):
        years = [int(_YEAR.findall(text)[0]) for text in headers]
        if len(set(years)) < len(years):
            return None
        slots = []
        for text, year in zip(headers, years, strict=True):
            month = _DATE.search(text)
            slots.append(year_slot(year, month.group() if month else "december 31", 0, False))
        return tuple(slots)
    names = [_name(text) for text in headers]
    if len(names) == 1:
        return (Slot(headers[0], "amount", ("",)),)
    if (
        not names
        or not all(names)
        or len(set(names)) < len(names)
        or max(map(len, names)) > _MAX_HEADER
    ):
        return None
    return tuple(
        Slot(text, name, (f"for {name}", f"in {name}", f"under {name}", f", {name}"))
        for text, name in zip(headers, names, strict=True)
    )


def _line(header: str, literals: Sequence[str]) -> Line:
    name = _name(header)
    return Line(header, (name,), _kind(name, [text for text in literals if text]))


def _kind(name: str, literals: Sequence[str]) -> Kind:
    if all(text.endswith("%") for text in literals):
        return "percent"
    if len(literals) > 2 and literals[0] in ("100", "100.0", "100.00"):
        return "index"
    if "per share" in name or "price" in name:
        return "price"
    if "shares" in name:
        return "shares"
    return "count" if name.startswith("number of ") or "employees" in name else "money"


def _total(
    lines: Sequence[Line], literals: Sequence[Sequence[str]]
) -> tuple[int | None, tuple[int, ...]]:
    """The first total that is the sum of the lines above it, and those lines."""
    for index, line in enumerate(lines):
        if not line.header.startswith("total") or line.kind != "money":
            continue
        for start in range(index - 1):
            parts = range(start, index)
            if all(
                text
                and all(literals[part][column] for part in parts)
                and _adds_up([value_of(literals[part][column]) for part in parts], value_of(text))
                for column, text in enumerate(literals[index])
            ):
                return index, tuple(parts)
    return None, ()


def _adds_up(parts: Sequence[float], total: float) -> bool:
    return abs(sum(parts) - total) <= 0.001 * abs(total)
