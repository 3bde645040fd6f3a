"""Plans on several lines of one slot: parts of a total, sums, comparisons, shares at a price.

Example: ``divide(1375, 3189)`` for "what portion of the total is due in 2018?". The plans follow
the decompositions of the ConvFinQA training conversations (Chen et al. 2022).
"""

from __future__ import annotations

from random import Random

from crossfoot.tasks.synthetic.asking import (
    Asked,
    lines_at,
    look_up,
    other_line,
    other_slot,
    pair_at,
)
from crossfoot.tasks.synthetic.figures import Grid, value_of
from crossfoot.tasks.synthetic.wording import Voice


def portion(voice: Voice, rng: Random) -> Asked | None:
    """A part and its total, the share, the share in another slot or what is left."""
    grid = voice.grid
    if grid.total is None:
        return None
    slot = rng.randrange(len(grid.slots))
    part, whole = rng.choice(grid.parts), grid.total
    a, b = grid.literal(part, slot), grid.literal(whole, slot)
    if value_of(b) <= 0.0:
        return None
    y = voice.name(whole)
    share = f"divide({a}, {b})"
    style = rng.random()
    if style < 0.35:
        return [
            look_up(voice, part, slot),
            other_line(voice, whole, slot),
            (voice.say("portion now", part, y=y), share),
        ]
    if style < 0.65:
        asked = [_portion_at_once(voice, part, slot, y, share)]
        return asked + _elsewhere(voice, part, slot, share, rng)
    asked = [look_up(voice, whole, slot)]
    if style < 0.8:
        return [
            *asked,
            other_line(voice, part, slot),
            (voice.say("portion reversed", part, y=y), share),
        ]
    title = "rest next"
    if rng.random() < 0.5:
        title = "rest now"
        asked.append(other_line(voice, part, slot))
    rest = f"subtract({b}, {a})"
    asked.append((voice.say(title, part, y=y), rest))
    if rng.random() < 0.7:
        asked.append((voice.say("rest portion", y=y), f"{rest}, divide(#0, {b})"))
    return asked


def _portion_at_once(voice: Voice, part: int, slot: int, y: str, share: str) -> tuple[str, str]:
    return voice.say("portion full", part, slot, y=y), share


def _elsewhere(voice: Voice, part: int, slot: int, share: str, rng: Random) -> Asked:
    """The same share in another slot, and the difference."""
    grid = voice.grid
    if not grid.dated or len(grid.slots) < 2 or grid.total is None or rng.random() < 0.25:
        return []
    again = rng.choice([other for other in range(len(grid.slots)) if other != slot])
    other = f"divide({grid.literal(part, again)}, {grid.literal(grid.total, again)})"
    asked = [(voice.say("portion other", part, again), other)]
    if rng.random() < 0.6:
        later, earlier = share, other
        if grid.slots[slot].year < grid.slots[again].year:
            later, earlier = other, share
        program = f"{later}, {earlier}, subtract(#0, #1)"
        asked.append((voice.say("portion difference"), program))
    return asked


def slot_portion(voice: Voice, rng: Random) -> Asked | None:
    """What falls in one slot, as a share of what falls in all."""
    grid = voice.grid
    if grid.total_slot is None:
        return None
    line = rng.randrange(len(grid.lines))
    slot, other = rng.sample(range(grid.total_slot), 2)
    whole = grid.literal(line, grid.total_slot)
    share = f"divide({grid.literal(line, slot)}, {whole})"
    asked: Asked = []
    if rng.random() < 0.5:
        asked = [look_up(voice, line, slot), other_slot(voice, line, grid.total_slot, slot)]
    asked.append((voice.say("due now" if asked else "due full", line, slot), share))
    if rng.random() < 0.4:
        program = f"divide({grid.literal(line, other)}, {whole})"
        asked.append((voice.say("due other", line, other), program))
    return asked


def two_lines(voice: Voice, rng: Random) -> Asked | None:
    """Two lines of one slot: their sum, difference, ratio, or which is greater."""
    grid = voice.grid
    if _is_bridge(grid):
        return None
    slot = rng.randrange(len(grid.slots))
    pair = pair_at(grid, slot, rng)
    if pair is None:
        return None
    first, second = pair
    a, b = grid.literal(first, slot), grid.literal(second, slot)
    rates = a.endswith("%")
    if rates != b.endswith("%"):
        return None
    # Rates are compared, not divided; only amounts are added.
    weights = {"money": (40, 20, 20, 20), "count": (0, 0, 50, 50), "percent": (0, 40, 0, 60)}[
        "percent" if rates else grid.lines[first].kind
    ]
    style = rng.choices(("add", "subtract", "divide", "greater"), weights)[0]
    looked = rng.random() < 0.5
    asked: Asked = []
    if looked:
        asked = [look_up(voice, first, slot), other_line(voice, second, slot)]
    program = f"{style}({a}, {b})"
    title = f"lines {style} {'now' if looked else 'full'}"
    asked.append((voice.say(title, first, slot, y=voice.name(second)), program))
    if style == "add" and rng.random() < 0.6:
        asked += _more_lines(voice, first, second, slot, program, rng)
    return asked


def _more_lines(
    voice: Voice, first: int, second: int, slot: int, program: str, rng: Random
) -> Asked:
    """A third and perhaps a fourth line in the sum, or the share of the first in it."""
    grid = voice.grid
    others = [
        line
        for line in lines_at(grid, slot)
        if line not in (first, second, grid.total) and grid.lines[line].kind == "money"
    ]
    if not others or rng.random() < 0.3:
        share = f"{program}, divide({grid.literal(first, slot)}, #0)"
        return [(voice.say("portion of sum", first), share)]
    asked: Asked = []
    for step, line in enumerate(rng.sample(others, min(len(others), rng.choice((1, 1, 2))))):
        program = f"{program}, add(#{step}, {grid.literal(line, slot)})"
        asked.append((voice.say("sum with line", line), program))
    return asked


def bridged(voice: Voice, rng: Random) -> Asked | None:
    """The change between the ends of a bridge, in percent, and what an effect had in it."""
    grid = voice.grid
    if not _is_bridge(grid):
        return None
    last = len(grid.lines) - 1
    a, b = grid.literal(last, 0), grid.literal(0, 0)
    years = {"old": grid.lines[0].header.split()[0], "new": grid.lines[last].header.split()[0]}
    change = f"subtract({a}, {b})"
    asked: Asked = []
    if rng.random() < 0.6:
        asked = [look_up(voice, last, 0), look_up(voice, 0, 0)]
        asked.append((voice.say("change now", None, None, x="net revenue", **years), change))
    else:
        asked.append((voice.say("change full", None, None, x="net revenue", **years), change))
    if rng.random() < 0.5:
        percent = f"{change}, divide(#0, {b})"
        return [*asked, (voice.say("percent now", None, None, x="net revenue", **years), percent)]
    effect = rng.randrange(1, last)
    share = f"{change}, divide({grid.literal(effect, 0)}, #0)"
    asked.append((voice.say("and line plain", effect, 0), grid.literal(effect, 0)))
    return [*asked, (voice.say("due to effect", effect), share)]


def _is_bridge(grid: Grid) -> bool:
    return grid.lines[0].header.endswith(" net revenue")


def performance(voice: Voice, rng: Random) -> Asked | None:
    """What an investment of $ 100 became, and an index beside it."""
    grid = voice.grid
    if grid.lines[0].kind != "index":
        return None
    first, second = rng.sample(range(len(grid.lines)), 2)
    new = rng.randrange(1, len(grid.slots))
    years = {"old": voice.short(0), "new": voice.short(new)}
    one = f"subtract({grid.literal(first, new)}, const_100)"
    two = f"subtract({grid.literal(second, new)}, const_100)"
    asked: Asked = []
    if rng.random() < 0.5:
        asked.append(look_up(voice, first, new))
        asked.append((voice.say("index change now", first, None, **years), one))
    else:
        asked.append((voice.say("index change full", first, None, **years), one))
    asked.append((voice.say("index percent"), f"{one}, divide(#0, const_100)"))
    if rng.random() < 0.55:
        if rng.random() < 0.5:
            asked.append(
                (voice.say("index other", second, None, **years), grid.literal(second, new))
            )
            asked.append((voice.say("index percent then"), f"{two}, divide(#0, const_100)"))
        else:
            asked.append((voice.say("index change full", second, None, **years), two))
            asked.append((voice.say("index percent"), f"{two}, divide(#0, const_100)"))
        returns = f"{one}, divide(#0, const_100), {two}, divide(#2, const_100), subtract(#1, #3)"
        asked.append((voice.say("index difference"), returns))
    return asked


def valued(voice: Voice, rng: Random) -> Asked | None:
    """A number of shares times its price, then in millions."""
    grid = voice.grid
    kinds = [line.kind for line in grid.lines]
    if grid.lines_are_rows or kinds[:2] != ["shares", "price"]:
        return None
    slot = rng.randrange(len(grid.slots))
    shares = grid.literal(0, slot)
    if value_of(shares) <= 0.0:
        return None
    product = f"multiply({shares}, {grid.literal(1, slot)})"
    asked = [look_up(voice, 0, slot), other_line(voice, 1, slot)]
    asked.append((voice.say("valued", 0, slot), product))
    if value_of(shares) > 20_000.0 and rng.random() < 0.7:
        asked.append((voice.say("value in millions"), f"{product}, divide(#0, const_1000000)"))
    return asked


def wander(voice: Voice, rng: Random) -> Asked | None:
    """Look-ups only, from cell to cell."""
    grid = voice.grid
    cells = [(line, slot) for line in range(len(grid.lines)) for slot in grid.filled(line)]
    line, slot = rng.choice(cells)
    asked = [look_up(voice, line, slot)]
    for _ in range(rng.randint(1, 2)):
        slots = [s for i, s in cells if i == line and s != slot]
        lines = [i for i, s in cells if s == slot and i != line]
        if slots and (rng.random() < 0.5 or not lines):
            before, slot = slot, rng.choice(slots)
            asked.append(other_slot(voice, line, slot, before))
        elif lines:
            line = rng.choice(lines)
            asked.append(other_line(voice, line, slot))
    return asked


def across(voice: Voice, told: Voice, rng: Random) -> Asked | None:
    """A figure told in the text beside one of the table, in the same year."""
    table, text = voice.grid, told.grid
    columns = {slot.year: index for index, slot in enumerate(table.slots)}
    shared = [index for index, slot in enumerate(text.slots) if slot.year in columns]
    lines = [index for index, line in enumerate(table.lines) if line.kind == "money"]
    if not (table.dated and shared and lines and text.lines[0].kind == "money"):
        return None
    line, slot = rng.choice(lines), rng.choice(shared)
    column = columns[text.slots[slot].year]
    a, b = text.literal(0, slot), table.literal(line, column)
    if not b or value_of(b) <= 0.0:
        return None
    if table.scale == "thousands" and value_of(a) < value_of(b) / 1000.0:
        thousandth = f"divide({b}, const_1000)"
        return [
            look_up(voice, line, column),
            (voice.say("by thousand", scale="millions"), thousandth),
            (told.say("also", 0, slot), a),
            (told.say("part of it"), f"{thousandth}, divide({a}, #0)"),
        ]
    if table.scale != text.scale or value_of(a) > 1.5 * value_of(b):
        return None
    x, y = told.name(0), voice.name(line)
    if rng.random() < 0.5:
        return [(told.say("lines divide full", 0, slot, y=y), f"divide({a}, {b})")]
    asked = [look_up(told, 0, slot), (voice.say("also", line, column), b)]
    if rng.random() < 0.7:
        return [*asked, (voice.say("ratio of first"), f"divide({a}, {b})")]
    return [*asked, (voice.say("second less", line, y=x), f"subtract({b}, {a})")]
