"""The first steps of every plan: which figures, and the questions that look one up.

Example: ``look_up(voice, 0, 1)`` is ("what was the net income in 2016?", "813"). The wording
follows the ConvFinQA training conversations (Chen et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, value_of
from crossfoot.tasks.synthetic.wording import Voice

# A question and its program, turn by turn.
Asked = list[tuple[str, str]]
Plan = Callable[[Voice, Random], Asked | None]


def look_up(voice: Voice, line: int, slot: int) -> tuple[str, str]:
    """A question for one figure that names it in full."""
    grid, rng = voice.grid, voice.rng
    kind = grid.lines[line].kind
    title = "lookup"
    if len(grid.slots) == 1:
        title = "lookup plain"
    elif kind == "count" and rng.random() < 0.6:
        title = "lookup count"
    elif kind == "percent" and rng.random() < 0.3:
        title = "lookup percent"
    elif kind == "money" and grid.scale and rng.random() < 0.2:
        title = "lookup money"
    return voice.say(title, line, slot), grid.literal(line, slot)


def other_slot(voice: Voice, line: int, slot: int, before: int) -> tuple[str, str]:
    """A follow-up for the same line in another slot."""
    grid = voice.grid
    title = "and slot"
    step = grid.slots[slot].year - grid.slots[before].year
    if grid.dated and abs(step) == 1 and voice.rng.random() < 0.12:
        title = "and before" if step < 0 else "and after"
    return voice.say(title, line, slot), grid.literal(line, slot)


def other_line(voice: Voice, line: int, slot: int) -> tuple[str, str]:
    """A follow-up for another line in the same slot."""
    grid = voice.grid
    # Where a slot sums the others, a line without its slot could mean that sum.
    summed = grid.total_slot is not None
    if len(grid.slots) > 1 and (summed or voice.rng.random() < 0.35):
        return look_up(voice, line, slot)
    title = "and line" if grid.dated else "and line plain"
    return voice.say(title, line, slot), grid.literal(line, slot)


def by_age(grid: Grid, line: int) -> list[int]:
    """The slots in which a line has a figure, the oldest year first."""
    return sorted(grid.filled(line), key=lambda slot: grid.slots[slot].year)


def two_years(grid: Grid, rng: Random, positive: bool = False) -> tuple[int, int, int] | None:
    """A line and two of its years, the older first, with different figures."""
    if not grid.dated:
        return None
    for line in rng.sample(range(len(grid.lines)), len(grid.lines)):
        filled = by_age(grid, line)
        if positive:
            filled = [slot for slot in filled if value_of(grid.literal(line, slot)) > 0.0]
        if len(filled) < 2:
            continue
        start = rng.randrange(len(filled) - 1)
        end = start + 1 if rng.random() < 0.7 else rng.randrange(start + 1, len(filled))
        if grid.literal(line, filled[start]) != grid.literal(line, filled[end]):
            return line, filled[start], filled[end]
    return None


def lines_at(grid: Grid, *slots: int) -> list[int]:
    """The lines that have a figure in each of the slots."""
    return [line for line in range(len(grid.lines)) if set(slots) <= set(grid.filled(line))]


def pair_at(grid: Grid, slot: int, rng: Random) -> tuple[int, int] | None:
    """Two lines of one kind with positive figures in a slot; no total."""
    filled = [
        line
        for line in lines_at(grid, slot)
        if grid.lines[line].kind in ("money", "count", "percent")
        and line != grid.total
        and value_of(grid.literal(line, slot)) > 0.0
    ]
    rng.shuffle(filled)
    for first in filled:
        for second in filled:
            if first != second and grid.lines[first].kind == grid.lines[second].kind:
                return first, second
    return None
