"""Conversations on a synthetic page: plans that look figures up and compute with them.

Example: a plan looks up two years, subtracts them, and divides by the older one:
``subtract(60.94, 25.14), divide(#0, 25.14)``. The plans follow the decompositions of the ConvFinQA
training conversations (Chen et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from crossfoot.tasks.synthetic import questions as q
from crossfoot.tasks.synthetic.figures import Grid, value_of
from crossfoot.tasks.synthetic.wording import Voice, by_age

Asked = list[tuple[str, str]]
Plan = Callable[[Voice, Random], Asked | None]
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}


def look_up(voice: Voice, line: int, slot: int, rng: Random) -> tuple[str, str]:
    """A question for one figure that names it in full."""
    grid = voice.grid
    kind = grid.lines[line].kind
    templates = q.LOOKUP
    if len(grid.slots) == 1:
        templates = q.LOOKUP_PLAIN
    elif kind == "count" and rng.random() < 0.6:
        templates = q.LOOKUP_COUNT
    elif kind == "percent" and rng.random() < 0.3:
        templates = q.LOOKUP_PERCENT
    elif kind == "money" and grid.scale and rng.random() < 0.2:
        templates = q.LOOKUP_MONEY
    if not grid.dated:
        templates = tuple(t for t in templates if "{s} {x}" not in t and "of {s}" not in t)
    return voice.say(templates, line, slot), grid.literal(line, slot)


def other_slot(voice: Voice, line: int, slot: int, before: int, rng: Random) -> tuple[str, str]:
    """A follow-up for the same line in another slot."""
    grid = voice.grid
    templates = q.AND_SLOT
    step = grid.slots[slot].year - grid.slots[before].year
    if grid.dated and step == -1 and rng.random() < 0.12:
        templates = q.AND_BEFORE
    elif grid.dated and step == 1 and rng.random() < 0.12:
        templates = q.AND_AFTER
    return voice.say(templates, line, slot), grid.literal(line, slot)


def other_line(voice: Voice, line: int, slot: int, rng: Random) -> tuple[str, str]:
    """A follow-up for another line in the same slot."""
    templates = q.AND_LINE if voice.grid.dated else q.AND_LINE_PLAIN
    if len(voice.grid.slots) > 1 and rng.random() < 0.35:
        return look_up(voice, line, slot, rng)
    return voice.say(templates, line, slot), voice.grid.literal(line, slot)


def change(voice: Voice, rng: Random) -> Asked | None:
    """Two years of a line, the change, the change in percent."""
    picked = _two_years(voice.grid, rng)
    if picked is None:
        return None
    line, old, new = picked
    return change_of(voice, line, old, new, rng)


def change_of(voice: Voice, line: int, old: int, new: int, rng: Random) -> Asked:
    """The change of one line between two slots."""
    grid = voice.grid
    a, b = grid.literal(line, new), grid.literal(line, old)
    words = {"old": voice.short(old), "new": voice.short(new)}
    asked: Asked = []
    looks = rng.choices((2, 1, 0), (44, 10, 46))[0]
    if looks:
        first, second = (new, old) if rng.random() < 0.6 else (old, new)
        asked.append(look_up(voice, line, first, rng))
        if looks == 2:
            asked.append(other_slot(voice, line, second, first, rng))
    if value_of(b) > value_of(a) > 0.0 and rng.random() < 0.12:
        return [*asked, *_decline(voice, line, words, a, b)]
    difference = f"subtract({a}, {b})"
    growing = value_of(a) > value_of(b) > 0.0
    full = q.INCREASE_FULL if growing and rng.random() < 0.2 else q.CHANGE_FULL
    asked.append(
        (
            voice.say(q.CHANGE_NOW if looks == 2 and rng.random() < 0.85 else full, line, **words),
            difference,
        )
    )
    base = value_of(b)
    if grid.lines[line].kind == "percent" and rng.random() < 0.6 or base < 0.0:
        return asked
    if rng.random() < 0.18:
        asked.append((voice.say(q.AGAIN, line, old), b))
    percent = f"{difference}, divide(#0, {b})"
    if rng.random() < 0.9:
        asked.append((voice.say(q.PERCENT_NOW, line, **words), percent))
        extra = rng.random()
        if extra < 0.05:
            asked.append((voice.say(q.TIMES_HUNDRED), f"{percent}, multiply(#1, const_100)"))
        elif extra < 0.11 and grid.dated:
            upcoming = str(grid.slots[new].year + 1)
            asked.append(
                (
                    voice.say(q.PROJECT, line, next=upcoming),
                    f"{percent}, add(#1, const_1), multiply(#2, {a})",
                )
            )
    return asked


def _decline(voice: Voice, line: int, words: dict[str, str], a: str, b: str) -> Asked:
    """A decline is asked for as a positive number: the older figure less the newer one."""
    decline = f"subtract({b}, {a})"
    return [
        (voice.say(q.DECLINE_FULL, line, **words), decline),
        (voice.say(q.DECLINE_PERCENT, line, **words), f"{decline}, divide(#0, {b})"),
    ]


def growth(voice: Voice, rng: Random) -> Asked | None:
    """The percentage change at once, or the ratio and the ratio less one."""
    picked = _two_years(voice.grid, rng, positive=True)
    if picked is None:
        return None
    line, old, new = picked
    grid = voice.grid
    a, b = grid.literal(line, new), grid.literal(line, old)
    words = {"old": voice.short(old), "new": voice.short(new)}
    if rng.random() < 0.45:
        asked = [
            (voice.say(q.PERCENT_LEAD[1:], line, **words), f"subtract({a}, {b}), divide(#0, {b})")
        ]
        rest = [i for i in _others(grid, line) if i in _filled_at(grid, old, new)]
        if rest and value_of(grid.literal(rest[0], old)) > 0.0:
            c, d = grid.literal(rest[0], new), grid.literal(rest[0], old)
            asked.append(
                (voice.say(q.AND_LINE_PLAIN[:3], rest[0]), f"subtract({c}, {d}), divide(#0, {d})")
            )
            if rng.random() < 0.6:
                program = f"subtract({a}, {b}), divide(#0, {b}), subtract({c}, {d}), divide(#2, {d}), subtract(#1, #3)"
                asked.append(
                    (
                        voice.say(
                            (
                                "what is the difference between the two?",
                                "what was, then, the difference between the two percentages?",
                                "so what is the difference in growth?",
                            )
                        ),
                        program,
                    )
                )
        return asked
    asked = []
    templates = q.RATIO_FULL
    if rng.random() < 0.6:
        asked = [look_up(voice, line, new, rng), other_slot(voice, line, old, new, rng)]
        templates = q.RATIO_NOW
    asked.append((voice.say(templates, line, **words), f"divide({a}, {b})"))
    if rng.random() < 0.6:
        asked.append((voice.say(q.LESS_ONE), f"divide({a}, {b}), subtract(#0, const_1)"))
    return asked


def compound(voice: Voice, rng: Random) -> Asked | None:
    """The compound annual growth over several years."""
    grid = voice.grid
    lines = [
        i
        for i in range(len(grid.lines))
        if grid.lines[i].kind in ("money", "count", "index", "price")
    ]
    rng.shuffle(lines)
    for line in lines:
        filled = by_age(
            grid.slots, [s for s in grid.filled(line) if value_of(grid.literal(line, s)) > 0.0]
        )
        if len(filled) < 3:
            continue
        old, new = filled[0], filled[-1]
        years = grid.slots[new].year - grid.slots[old].year
        if years not in (2, 3, 4, 5):
            continue
        a, b = grid.literal(line, new), grid.literal(line, old)
        asked = [look_up(voice, line, new, rng), other_slot(voice, line, old, new, rng)]
        asked.append(
            (
                voice.say(q.RATIO_NOW, line, old=voice.short(old), new=voice.short(new)),
                f"divide({a}, {b})",
            )
        )
        root = f"divide({a}, {b}), divide(const_1, const_{years}), exp(#0, #1)"
        asked.append((voice.say(q.COMPOUND, n=NUMBER_WORDS[years]), root))
        asked.append((voice.say(q.COMPOUND_LESS), f"{root}, subtract(#2, const_1)"))
        return asked
    return None


def totals(voice: Voice, rng: Random) -> Asked | None:
    """Two years added, a third included, the average."""
    grid = voice.grid
    lines = [
        i
        for i in range(len(grid.lines))
        if len(grid.filled(i)) >= 2 and grid.lines[i].kind != "index"
    ]
    if not lines or not grid.dated:
        return None
    line = rng.choice(lines)
    slots = grid.filled(line)[: rng.choice((2, 3, 3))]
    if rng.random() < 0.3:
        slots.reverse()
    values = [grid.literal(line, slot) for slot in slots]
    short = [voice.short(slot) for slot in slots]
    average_only = grid.lines[line].kind in ("percent", "price", "years")
    asked: Asked = []
    if rng.random() < 0.65:
        asked.append(look_up(voice, line, slots[0], rng))
        asked.append(other_slot(voice, line, slots[1], slots[0], rng))
        asked.append((voice.say(q.SUM_NOW, line), f"add({values[0]}, {values[1]})"))
    else:
        asked.append(
            (voice.say(q.SUM_FULL, line, a=short[0], b=short[1]), f"add({values[0]}, {values[1]})")
        )
    program, count = f"add({values[0]}, {values[1]})", 2
    if len(slots) == 3:
        if rng.random() < 0.2:
            asked.append(other_slot(voice, line, slots[2], slots[1], rng))
        program, count = f"{program}, add(#0, {values[2]})", 3
        asked.append((voice.say(q.SUM_MORE, line, c=short[2]), program))
    if rng.random() < 0.75 or average_only:
        words = {"n": NUMBER_WORDS[count] if rng.random() < 0.7 else str(count)}
        asked.append(
            (
                voice.say(q.AVERAGE_NOW, line, **words),
                f"{program}, divide(#{count - 2}, const_{count})",
            )
        )
    return asked


def portion(voice: Voice, rng: Random) -> Asked | None:
    """A part and its total, the share, the share in another slot."""
    grid = voice.grid
    if grid.total is None:
        return None
    slots = [s for s in range(len(grid.slots))]
    slot = rng.choice(slots)
    part, whole = rng.choice(grid.parts), grid.total
    a, b = grid.literal(part, slot), grid.literal(whole, slot)
    if not a or not b or value_of(b) <= 0.0:
        return None
    y = voice.name(whole)
    asked: Asked = []
    style = rng.random()
    if style < 0.4:
        asked = [look_up(voice, part, slot, rng), other_line(voice, whole, slot, rng)]
        asked.append((voice.say(q.PORTION_NOW, part, y=y), f"divide({a}, {b})"))
    elif style < 0.6:
        asked = [look_up(voice, whole, slot, rng), other_line(voice, part, slot, rng)]
        asked.append((voice.say(q.PORTION_NOW_REVERSED, part, y=y), f"divide({a}, {b})"))
    elif style < 0.8:
        asked = [(voice.say(q.PORTION_FULL, part, slot, y=y), f"divide({a}, {b})")]
        if grid.dated and len(slots) > 1 and rng.random() < 0.7:
            again = rng.choice([s for s in slots if s != slot])
            c, d = grid.literal(part, again), grid.literal(whole, again)
            asked.append((voice.say(q.PORTION_OTHER, part, again), f"divide({c}, {d})"))
            if rng.random() < 0.6:
                asked.append(
                    (
                        voice.say(q.PORTION_DIFFERENCE),
                        f"divide({a}, {b}), divide({c}, {d}), subtract(#0, #1)",
                    )
                )
    else:
        asked = [look_up(voice, whole, slot, rng), other_line(voice, part, slot, rng)]
        rest = f"subtract({b}, {a})"
        asked.append((voice.say(q.REST_NOW, part, y=y), rest))
        if rng.random() < 0.7:
            asked.append((voice.say(q.REST_PORTION, part, y=y), f"{rest}, divide(#0, {b})"))
    return asked


def slot_portion(voice: Voice, rng: Random) -> Asked | None:
    """What is due in one period, as a share of what is due in all."""
    grid = voice.grid
    if grid.total_slot is None:
        return None
    line = rng.randrange(len(grid.lines))
    slot = rng.randrange(grid.total_slot)
    a, b = grid.literal(line, slot), grid.literal(line, grid.total_slot)
    asked: Asked = []
    if rng.random() < 0.65:
        asked = [
            look_up(voice, line, slot, rng),
            other_slot(voice, line, grid.total_slot, slot, rng),
        ]
        asked.append(
            (
                voice.say(
                    (
                        "what portion of the total is that?",
                        "how much, then, does the first value represent in relation to this "
                        "total, in percentage?",
                        "what percentage of the total does this represent?",
                        "what is the portion due {w}?",
                        "what is the ratio?",
                    ),
                    line,
                    slot,
                ),
                f"divide({a}, {b})",
            )
        )
    else:
        asked.append(
            (
                voice.say(
                    (
                        "what portion of the {x} is {d}?",
                        "what percentage of total {x} is {d}?",
                        "what fraction of all {x} is {d}?",
                    ),
                    line,
                    d=grid.slots[slot].wheres[0],
                ),
                f"divide({a}, {b})",
            )
        )
    other = rng.choice([s for s in range(grid.total_slot) if s != slot])
    if rng.random() < 0.4:
        c = grid.literal(line, other)
        asked.append(
            (
                voice.say(
                    (
                        "and the portion {d}?",
                        "what about the portion {d}?",
                        "and what portion is {d}?",
                    ),
                    line,
                    d=grid.slots[other].wheres[0],
                ),
                f"divide({c}, {b})",
            )
        )
    return asked


def two_lines(voice: Voice, rng: Random) -> Asked | None:
    """Two lines of one slot: their sum, difference, share, or which is greater."""
    grid = voice.grid
    slot = rng.randrange(len(grid.slots))
    first, second = _pair(grid, slot, rng)
    if first is None or second is None:
        return None
    a, b = grid.literal(first, slot), grid.literal(second, slot)
    additive = grid.lines[first].kind == "money"
    weights = (40, 25, 20, 15) if additive else (0, 0, 50, 50)
    style = rng.choices(("sum", "less", "ratio", "greater"), weights)[0]
    now, full, program = {
        "sum": (q.SUM_LINES_NOW, q.SUM_LINES_FULL, f"add({a}, {b})"),
        "less": (q.LINES_LESS_NOW, q.LINES_LESS_FULL, f"subtract({a}, {b})"),
        "ratio": (q.PORTION_NOW, q.PORTION_FULL[3:7], f"divide({a}, {b})"),
        "greater": (q.GREATER_LINES_NOW, q.GREATER_LINES_FULL, f"greater({a}, {b})"),
    }[style]
    asked: Asked = []
    looked = rng.random() < 0.65
    if looked:
        asked = [look_up(voice, first, slot, rng), other_line(voice, second, slot, rng)]
    y = voice.name(second)
    asked.append((voice.say(now if looked else full, first, slot, y=y), program))
    if style == "sum" and rng.random() < 0.6:
        thirds = [
            i
            for i in _filled_at(grid, slot, slot)
            if i not in (first, second, grid.total) and grid.lines[i].kind == grid.lines[first].kind
        ]
        if thirds:
            third = rng.choice(thirds)
            more = f"{program}, add(#0, {grid.literal(third, slot)})"
            asked.append(
                (
                    voice.say(
                        (
                            "what is the sum including {x}?",
                            "and including the {x}?",
                            "including {x}, what then becomes that total?",
                            "what about adding the {x}?",
                        ),
                        third,
                    ),
                    more,
                )
            )
        elif value_of(a) + value_of(b) > 0.0:
            asked.append(
                (
                    voice.say(
                        (
                            "what portion of that sum is the {x}?",
                            "what is the {x} divided by that sum?",
                            "what percentage of this total did the {x} represent?",
                        ),
                        first,
                    ),
                    f"{program}, divide({a}, #0)",
                )
            )
    return asked


def greater_years(voice: Voice, rng: Random) -> Asked | None:
    """Whether a figure is higher in one year than in another."""
    picked = _two_years(voice.grid, rng)
    if picked is None:
        return None
    line, old, new = picked
    grid = voice.grid
    words = {"old": voice.short(old), "new": voice.short(new)}
    program = f"greater({grid.literal(line, new)}, {grid.literal(line, old)})"
    if rng.random() < 0.7:
        return [
            look_up(voice, line, new, rng),
            other_slot(voice, line, old, new, rng),
            (voice.say(q.GREATER_NOW, line, **words), program),
        ]
    return [(voice.say(q.GREATER_FULL, line, **words), program)]


def over_rows(voice: Voice, rng: Random) -> Asked | None:
    """The highest, lowest, total or average figure of a row."""
    grid = voice.grid
    if grid.printed != "plain":
        return None
    if not (grid.in_table and grid.lines_are_rows and grid.dated and len(grid.slots) > 2):
        return None
    lines = [
        i
        for i, line in enumerate(grid.lines)
        if len(grid.filled(i)) == len(grid.slots)
        and not set("(),#") & set(line.header)
        and [other.header for other in grid.lines].count(line.header) == 1
        and line.kind not in ("percent", "index")
    ]
    if not lines:
        return None
    line = rng.choice(lines)
    header = grid.lines[line].header
    style = rng.choice(("range", "max", "min", "sum", "sum", "average"))
    if style == "range":
        return [
            (voice.say(q.TABLE_MAX, line), f"table_max({header}, none)"),
            (
                voice.say(
                    ("and the lowest?", "and what was the lowest one?", "what about the minimum?"),
                    line,
                ),
                f"table_min({header}, none)",
            ),
            (
                voice.say(q.RANGE_NOW, line),
                f"table_max({header}, none), table_min({header}, none), subtract(#0, #1)",
            ),
        ]
    templates = {
        "max": q.TABLE_MAX,
        "min": q.TABLE_MIN,
        "sum": q.TABLE_SUM,
        "average": q.TABLE_AVERAGE,
    }[style]
    if style == "sum" and grid.lines[line].kind in ("price", "years"):
        return None
    asked = [(voice.say(templates, line), f"table_{style}({header}, none)")]
    if style == "average":
        slot = rng.choice(grid.filled(line))
        asked.insert(0, look_up(voice, line, slot, rng))
        asked.append(
            (
                voice.say(
                    (
                        "how much is the first value above that average?",
                        "what is that value less this average?",
                    ),
                    line,
                ),
                f"table_average({header}, none), subtract({grid.literal(line, slot)}, #0)",
            )
        )
    return asked


def scaled(voice: Voice, rng: Random) -> Asked | None:
    """A figure in another scale."""
    grid = voice.grid
    lines = [i for i, line in enumerate(grid.lines) if line.kind == "money" and grid.filled(i)]
    if not lines or grid.scale == "":
        return None
    line = rng.choice(lines)
    slot = rng.choice(grid.filled(line))
    a = grid.literal(line, slot)
    asked = [look_up(voice, line, slot, rng)]
    if grid.scale == "millions" and rng.random() < 0.3:
        asked.append((voice.say(q.TIMES_MILLION), f"multiply({a}, const_1000000)"))
    elif grid.scale == "billions" or (grid.scale == "millions" and rng.random() < 0.35):
        smaller = "millions" if grid.scale == "billions" else "thousands"
        asked.append((voice.say(q.TIMES_THOUSAND, scale=smaller), f"multiply({a}, const_1000)"))
    elif abs(value_of(a)) >= 100.0:
        bigger = "billions" if grid.scale == "millions" else "millions"
        asked.append(
            (
                voice.say(q.IN_BIGGER if rng.random() < 0.6 else q.BY_THOUSAND, scale=bigger),
                f"divide({a}, const_1000)",
            )
        )
    else:
        return None
    return asked


def performance(voice: Voice, rng: Random) -> Asked | None:
    """What an investment of $ 100 became, and an index beside it."""
    grid = voice.grid
    if grid.lines[0].kind != "index":
        return None
    first, second = rng.sample(range(len(grid.lines)), 2)
    new = rng.randrange(1, len(grid.slots))
    words = {"old": voice.short(0), "new": voice.short(new)}
    a, b = grid.literal(first, new), grid.literal(second, new)
    one = f"subtract({a}, const_100)"
    asked: Asked = []
    if rng.random() < 0.65:
        asked.append(look_up(voice, first, new, rng))
        asked.append((voice.say(q.INDEX_CHANGE_NOW, first, **words), one))
    else:
        asked.append((voice.say(q.INDEX_CHANGE_FULL, first, **words), one))
    asked.append((voice.say(q.INDEX_PERCENT, first), f"{one}, divide(#0, const_100)"))
    if rng.random() < 0.55:
        two = f"subtract({b}, const_100)"
        asked.append((voice.say(q.INDEX_OTHER, second, new=words["new"]), b))
        if rng.random() < 0.5:
            asked.append((voice.say(q.INDEX_CHANGE_NOW, second, **words), two))
        asked.append((voice.say(q.INDEX_PERCENT, second), f"{two}, divide(#0, const_100)"))
        both = f"{one}, divide(#0, const_100), {two}, divide(#2, const_100), subtract(#1, #3)"
        asked.append((voice.say(q.INDEX_DIFFERENCE), both))
    return asked[:6]


def valued(voice: Voice, rng: Random) -> Asked | None:
    """A number of shares times its price, then in millions."""
    grid = voice.grid
    kinds = [line.kind for line in grid.lines]
    if "shares" not in kinds or "price" not in kinds or grid.lines_are_rows:
        return None
    shares, price = kinds.index("shares"), kinds.index("price")
    slot = rng.randrange(len(grid.slots))
    a, b = grid.literal(shares, slot).lstrip("-"), grid.literal(price, slot)
    if a != grid.literal(shares, slot):
        return None
    asked = [look_up(voice, shares, slot, rng), other_line(voice, price, slot, rng)]
    product = f"multiply({a}, {b})"
    asked.append(
        (
            voice.say(
                (
                    "what is, then, the total value of those shares?",
                    "what was the total value?",
                    "what is the product of the two?",
                    "considering that price, how much were these shares worth in total?",
                    "what is the total cost of those?",
                ),
                shares,
                slot,
            ),
            product,
        )
    )
    if float(a) > 20_000.0 and rng.random() < 0.7:
        asked.append(
            (
                voice.say(
                    (
                        "and how much is that in millions?",
                        "what about in millions?",
                        "what is that value divided by 1000000?",
                        "and converted to the millions?",
                    )
                ),
                f"{product}, divide(#0, const_1000000)",
            )
        )
    return asked


def wander(voice: Voice, rng: Random) -> Asked | None:
    """Look-ups only: from cell to cell."""
    grid = voice.grid
    cells = [
        (i, s) for i in range(len(grid.lines)) for s in range(len(grid.slots)) if grid.literal(i, s)
    ]
    if len(cells) < 3:
        return None
    line, slot = rng.choice(cells)
    asked = [look_up(voice, line, slot, rng)]
    for _ in range(rng.randint(1, 2)):
        slots = [s for i, s in cells if i == line and s != slot]
        lines = [i for i, s in cells if s == slot and i != line]
        if slots and (rng.random() < 0.5 or not lines):
            before, slot = slot, rng.choice(slots)
            asked.append(other_slot(voice, line, slot, before, rng))
        elif lines:
            line = rng.choice(lines)
            asked.append(other_line(voice, line, slot, rng))
    return asked


PLANS: tuple[tuple[Plan, int], ...] = (
    (change, 62),
    (growth, 12),
    (compound, 3),
    (totals, 18),
    (portion, 34),
    (slot_portion, 30),
    (two_lines, 12),
    (greater_years, 9),
    (over_rows, 16),
    (scaled, 6),
    (performance, 60),
    (valued, 25),
    (wander, 5),
)


def _two_years(grid: Grid, rng: Random, positive: bool = False) -> tuple[int, int, int] | None:
    """A line and two of its slots, the older first, with different figures."""
    if not grid.dated:
        return None
    lines = list(range(len(grid.lines)))
    rng.shuffle(lines)
    for line in lines:
        filled = by_age(grid.slots, grid.filled(line))
        if positive:
            filled = [s for s in filled if value_of(grid.literal(line, s)) > 0.0]
        if len(filled) < 2:
            continue
        start = rng.randrange(len(filled) - 1)
        end = start + 1 if rng.random() < 0.7 else rng.randrange(start + 1, len(filled))
        if grid.literal(line, filled[start]) != grid.literal(line, filled[end]):
            return line, filled[start], filled[end]
    return None


def _filled_at(grid: Grid, *slots: int) -> list[int]:
    return [i for i in range(len(grid.lines)) if set(slots) <= set(grid.filled(i))]


def _others(grid: Grid, line: int) -> list[int]:
    return [
        i
        for i in range(len(grid.lines))
        if i != line and grid.lines[i].kind == grid.lines[line].kind
    ]


def _pair(grid: Grid, slot: int, rng: Random) -> tuple[int | None, int | None]:
    """Two lines of the same kind with figures in a slot; no total with its part."""
    filled = [
        i
        for i in _filled_at(grid, slot)
        if grid.lines[i].kind in ("money", "count", "percent")
        and i != grid.total
        and value_of(grid.literal(i, slot)) > 0.0
    ]
    rng.shuffle(filled)
    for first in filled:
        for second in filled:
            if first != second and grid.lines[first].kind == grid.lines[second].kind:
                return first, second
    return None, None


def across(voice: Voice, told: Voice, rng: Random) -> Asked | None:
    """A figure told in the text beside one of the table, in the same year."""
    table, text = voice.grid, told.grid
    if not table.dated or text.lines[0].kind != "money":
        return None
    lines = [i for i, line in enumerate(table.lines) if line.kind == "money"]
    years = {slot.year: i for i, slot in enumerate(table.slots)}
    both = [s for s, slot in enumerate(text.slots) if slot.year in years]
    if not lines or not both:
        return None
    line, slot = rng.choice(lines), rng.choice(both)
    column = years[text.slots[slot].year]
    a, b = text.literal(0, slot), table.literal(line, column)
    if not b or value_of(b) <= 0.0:
        return None
    if table.scale == "thousands":
        if value_of(a) > value_of(b) / 1000.0:
            return None
        asked = [
            look_up(voice, line, column, rng),
            (voice.say(q.IN_BIGGER, scale="millions"), f"divide({b}, const_1000)"),
        ]
        asked.append((told.say(q.ALSO, 0, slot), a))
        asked.append((told.say(q.PART_OF_IT), f"divide({b}, const_1000), divide({a}, #0)"))
        return asked
    if table.scale != text.scale or value_of(a) > 1.5 * value_of(b):
        return None
    x, y = told.name(0), voice.name(line)
    if rng.random() < 0.4:
        return [(told.say(q.PORTION_FULL[3:7], 0, slot, y=y), f"divide({a}, {b})")]
    asked = [look_up(told, 0, slot, rng), (voice.say(q.ALSO, line, column), b)]
    if rng.random() < 0.7:
        asked.append(
            (voice.say(q.PORTION_NOW[:3] + q.PORTION_NOW[7:8], line, y=y), f"divide({a}, {b})")
        )
    else:
        asked.append((voice.say(q.SECOND_LESS, line, y=x), f"subtract({b}, {a})"))
    return asked
