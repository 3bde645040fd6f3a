"""Plans on one line over the years: changes, growth, totals, extremes, other scales.

Example: ``subtract(60.94, 25.14), divide(#0, 25.14)`` for "what is the percent change?". The plans
follow the decompositions of the ConvFinQA training conversations (Chen et al. 2022).
"""

from __future__ import annotations

from random import Random

from crossfoot.tasks.synthetic.asking import (
    Asked,
    by_age,
    lines_at,
    look_up,
    other_slot,
    two_years,
)
from crossfoot.tasks.synthetic.figures import value_of
from crossfoot.tasks.synthetic.wording import Voice

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


def change(voice: Voice, rng: Random) -> Asked | None:
    """Two years of a line, the change, the change in percent."""
    picked = two_years(voice.grid, rng)
    if picked is None:
        return None
    line, old, new = picked
    a, b = voice.grid.literal(line, new), voice.grid.literal(line, old)
    years = {"old": voice.short(old), "new": voice.short(new)}
    asked: Asked = []
    looks = rng.choices((2, 1, 0), (32, 8, 60))[0]
    first, second = (new, old) if rng.random() < 0.6 else (old, new)
    if looks:
        asked.append(look_up(voice, line, first))
    if looks == 2:
        asked.append(other_slot(voice, line, second, first))
    if value_of(b) > value_of(a) > 0.0 and rng.random() < 0.12:
        # As in the training files, a decline is asked for as a positive number.
        decline = f"subtract({b}, {a})"
        asked.append((voice.say("decline full", line, None, **years), decline))
        asked.append(
            (voice.say("decline percent", line, None, **years), f"{decline}, divide(#0, {b})")
        )
        return asked
    growing = value_of(a) > value_of(b) > 0.0
    title = "increase full" if growing and rng.random() < 0.2 else "change full"
    if looks == 2 and rng.random() < 0.85:
        title = "change now"
    asked.append((voice.say(title, line, None, **years), f"subtract({a}, {b})"))
    is_rate = voice.grid.lines[line].kind == "percent"
    if value_of(b) < 0.0 or (is_rate and rng.random() < 0.6):
        return asked
    if rng.random() < 0.12:
        asked.append((voice.say("again", line, old), b))
    return asked + _in_percent(voice, line, old, new, rng)


def _in_percent(voice: Voice, line: int, old: int, new: int, rng: Random) -> Asked:
    """The change as a share of the older figure, and sometimes what follows from it."""
    a, b = voice.grid.literal(line, new), voice.grid.literal(line, old)
    years = {"old": voice.short(old), "new": voice.short(new)}
    percent = f"subtract({a}, {b}), divide(#0, {b})"
    asked = [(voice.say("percent now", line, None, **years), percent)]
    more = rng.random()
    if more < 0.06:
        asked.append((voice.say("times hundred"), f"{percent}, multiply(#1, const_100)"))
    elif more < 0.16:
        following = str(voice.grid.slots[new].year + 1)
        program = f"{percent}, add(#1, const_1), multiply(#2, {a})"
        asked.append((voice.say("project", line, next=following), program))
    return asked


def growth(voice: Voice, rng: Random) -> Asked | None:
    """The percentage change at once, and that of another line."""
    picked = two_years(voice.grid, rng, positive=True)
    if picked is None:
        return None
    grid, (line, old, new) = voice.grid, picked
    a, b = grid.literal(line, new), grid.literal(line, old)
    years = {"old": voice.short(old), "new": voice.short(new)}
    one = f"subtract({a}, {b}), divide(#0, {b})"
    asked = [(voice.say("percent full", line, None, **years), one)]
    others = [
        other
        for other in lines_at(grid, old, new)
        if other != line and grid.lines[other].kind == grid.lines[line].kind
    ]
    if not others:
        return asked
    other = rng.choice(others)
    c, d = grid.literal(other, new), grid.literal(other, old)
    if value_of(d) > 0.0:
        asked.append((voice.say("what about line", other), f"subtract({c}, {d}), divide(#0, {d})"))
        both = f"{one}, subtract({c}, {d}), divide(#2, {d}), subtract(#1, #3)"
        if rng.random() < 0.6:
            asked.append((voice.say("growth difference"), both))
    return asked


def ratio(voice: Voice, rng: Random) -> Asked | None:
    """One year over another, and that less one."""
    picked = two_years(voice.grid, rng, positive=True)
    if picked is None:
        return None
    line, old, new = picked
    program = f"divide({voice.grid.literal(line, new)}, {voice.grid.literal(line, old)})"
    years = {"old": voice.short(old), "new": voice.short(new)}
    asked: Asked = []
    if rng.random() < 0.6:
        asked = [look_up(voice, line, new), other_slot(voice, line, old, new)]
    asked.append((voice.say("ratio now" if asked else "ratio full", line, None, **years), program))
    if rng.random() < 0.6:
        asked.append((voice.say("less one"), f"{program}, subtract(#0, const_1)"))
    return asked


def compound(voice: Voice, rng: Random) -> Asked | None:
    """The compound annual growth over several years."""
    grid = voice.grid
    for line in rng.sample(range(len(grid.lines)), len(grid.lines)):
        filled = by_age(grid, line) if grid.dated else []
        if len(filled) < 3 or grid.lines[line].kind == "percent":
            continue
        old, new = filled[0], filled[-1]
        a, b = grid.literal(line, new), grid.literal(line, old)
        years = grid.slots[new].year - grid.slots[old].year
        if years not in _NUMBERS or min(value_of(a), value_of(b)) <= 0.0:
            continue
        quotient = f"divide({a}, {b})"
        root = f"{quotient}, divide(const_1, const_{years}), exp(#0, #1)"
        words = {"old": voice.short(old), "new": voice.short(new)}
        asked: Asked = []
        if rng.random() < 0.4:
            asked = [look_up(voice, line, new), other_slot(voice, line, old, new)]
        title = "ratio now" if asked else "ratio full"
        return [
            *asked,
            (voice.say(title, line, None, **words), quotient),
            (voice.say("compound", n=_NUMBERS[years]), root),
            (voice.say("compound less"), f"{root}, subtract(#2, const_1)"),
        ]
    return None


def totals(voice: Voice, rng: Random) -> Asked | None:
    """Two years added, a third included, the average."""
    grid = voice.grid
    lines = [
        line
        for line in range(len(grid.lines))
        if len(grid.filled(line)) >= 2
        and grid.lines[line].kind not in ("index", "percent", "price", "years")
    ]
    if not lines or not grid.dated:
        return None
    line = rng.choice(lines)
    slots = grid.filled(line)[: rng.choice((2, 3, 3, 4))]
    if rng.random() < 0.3:
        slots.reverse()
    a, b, *more = (grid.literal(line, slot) for slot in slots)
    first, second = voice.short(slots[0]), voice.short(slots[1])
    program, count = f"add({a}, {b})", 2
    asked: Asked = []
    if rng.random() < 0.5:
        asked.append(look_up(voice, line, slots[0]))
        asked.append(other_slot(voice, line, slots[1], slots[0]))
        asked.append((voice.say("sum now", line), program))
    else:
        asked.append((voice.say("sum full", line, a=first, b=second), program))
    for literal, slot in zip(more, slots[2:], strict=True):
        program, count = f"{program}, add(#{count - 2}, {literal})", count + 1
        title = "sum more" if count == 3 else "sum fourth"
        asked.append((voice.say(title, line, c=voice.short(slot)), program))
    if rng.random() < 0.75:
        number = _NUMBERS[count] if rng.random() < 0.7 else str(count)
        average = f"{program}, divide(#{count - 2}, const_{count})"
        asked.append((voice.say("average now", line, n=number), average))
    return asked


def greater(voice: Voice, rng: Random) -> Asked | None:
    """Whether a figure is higher in one year than in another."""
    picked = two_years(voice.grid, rng)
    if picked is None:
        return None
    line, old, new = picked
    years = {"old": voice.short(old), "new": voice.short(new)}
    program = f"greater({voice.grid.literal(line, new)}, {voice.grid.literal(line, old)})"
    if rng.random() < 0.4:
        return [(voice.say("greater full", line, None, **years), program)]
    return [
        look_up(voice, line, new),
        other_slot(voice, line, old, new),
        (voice.say("greater now", line, None, **years), program),
    ]


def whole_row(voice: Voice, rng: Random) -> Asked | None:
    """The highest, lowest, total or average figure of a row."""
    grid = voice.grid
    years_above = grid.in_table and grid.lines_are_rows and grid.dated and len(grid.slots) > 2
    if not years_above or grid.printed != "plain":
        return None
    lines = [
        index
        for index, line in enumerate(grid.lines)
        if len(grid.filled(index)) == len(grid.slots)
        # The official scripts cut a program at such characters.
        and not set("(),#") & set(line.header)
        and line.kind not in ("percent", "index", "years")
    ]
    if not lines:
        return None
    line = rng.choice(lines)
    row = f"({grid.lines[line].header}, none)"
    style = rng.choice(("range", "max", "min", "sum", "average"))
    if style == "range":
        return [
            (voice.say("table max", line), f"table_max{row}"),
            (voice.say("and lowest", line), f"table_min{row}"),
            (voice.say("range now"), f"table_max{row}, table_min{row}, subtract(#0, #1)"),
        ]
    if style == "sum" and grid.lines[line].kind == "price":
        return None
    asked = [(voice.say(f"table {style}", line), f"table_{style}{row}")]
    if style == "average" and rng.random() < 0.5:
        slot = rng.choice(grid.filled(line))
        above = f"table_average{row}, subtract({grid.literal(line, slot)}, #0)"
        asked = [look_up(voice, line, slot), *asked, (voice.say("above average"), above)]
    return asked


def scaled(voice: Voice, rng: Random) -> Asked | None:
    """A figure in another scale."""
    grid = voice.grid
    # A real table may have a rate in a line of amounts.
    amounts = {
        i: [slot for slot in grid.filled(i) if not grid.literal(i, slot).endswith("%")]
        for i, line in enumerate(grid.lines)
        if line.kind == "money"
    }
    lines = [line for line, slots in amounts.items() if slots]
    if not lines or not grid.scale:
        return None
    line = rng.choice(lines)
    slot = rng.choice(amounts[line])
    literal = grid.literal(line, slot)
    asked = [look_up(voice, line, slot)]
    if grid.scale == "millions" and rng.random() < 0.3:
        asked.append((voice.say("times million"), f"multiply({literal}, const_1000000)"))
    elif grid.scale == "billions" or (grid.scale == "millions" and rng.random() < 0.35):
        smaller = "millions" if grid.scale == "billions" else "thousands"
        asked.append(
            (voice.say("times thousand", scale=smaller), f"multiply({literal}, const_1000)")
        )
    elif abs(value_of(literal)) >= 100.0:
        bigger = "billions" if grid.scale == "millions" else "millions"
        asked.append((voice.say("by thousand", scale=bigger), f"divide({literal}, const_1000)"))
    return asked if len(asked) > 1 else None
