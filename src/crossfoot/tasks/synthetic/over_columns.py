"""Plans on two columns of one line, where columns are no years.

Example: ``add(2012, 1219)`` for "what is the sum of u.k. and u.s. for the experience loss?", and
``multiply(300, 25.04)`` for the value of shares whose number and price are told.
"""

from __future__ import annotations

import re
from random import Random

from crossfoot.tasks.synthetic.asking import Asked, lines_at, look_up, other_slot
from crossfoot.tasks.synthetic.figures import Grid, value_of
from crossfoot.tasks.synthetic.wording import Voice

_TITLES = {"add": "columns add", "subtract": "columns subtract", "divide": "columns divide"}
_PRICES = ("price", "fair value", "per share", "per unit")
# Columns of different kinds are not added up: a change and a share, a price and a number.
_KIND = re.compile(
    r"change|%|percent|\bage\b|year|term|number|units|shares|options|customers|employees|value"
    r"|total|maximum|low|high"
)
_COUNTED = re.compile(r"\b(?:shares|units|options|awards|number)\b(?!.*\bvalue\b)")


def two_columns(voice: Voice, rng: Random) -> Asked | None:
    """The sum, the difference or the ratio of two amounts of a line."""
    grid = voice.grid
    plain = [slot for slot in range(len(grid.slots)) if not _is_price(grid, slot)]
    if grid.dated or len(plain) < 2:
        return None
    one, two = rng.sample(plain, 2)
    if _kinds(grid, one) != _kinds(grid, two):
        return None
    pairs = [
        (line, a, b)
        for line in lines_at(grid, one, two)
        if _are_amounts(a := grid.literal(line, one), b := grid.literal(line, two))
    ]
    if not pairs:
        return None
    line, a, b = rng.choice(pairs)
    style, title = rng.choice(tuple(_TITLES.items()))
    names = {"a": voice.short(one), "b": voice.short(two)}
    return [(voice.say(title, line, None, **names), f"{style}({a}, {b})")]


def worth(voice: Voice, rng: Random) -> Asked | None:
    """A number of shares times its price."""
    grid = voice.grid
    prices = [slot for slot in range(len(grid.slots)) if _is_price(grid, slot)]
    counts = [
        index
        for index, slot in enumerate(grid.slots)
        if index not in prices and _COUNTED.search(slot.header.lower())
    ]
    if grid.dated or not counts or not prices:
        return None
    count, price = counts[0], prices[0]
    lines = lines_at(grid, count, price)
    lines = [line for line in lines if value_of(grid.literal(line, count)) > 0.0]
    if not lines:
        return None
    line = rng.choice(lines)
    asked = [look_up(voice, line, count)]
    told = rng.random() < 0.6
    if told:
        asked.append(other_slot(voice, line, price, count))
    product = f"multiply({grid.literal(line, count)}, {grid.literal(line, price)})"
    return [*asked, (voice.say("valued" if told else "valued in total", line, count), product)]


def _is_price(grid: Grid, slot: int) -> bool:
    return any(word in grid.slots[slot].header.lower() for word in _PRICES)


def _kinds(grid: Grid, slot: int) -> set[str]:
    return set(_KIND.findall(grid.slots[slot].header.lower()))


def _are_amounts(a: str, b: str) -> bool:
    """Whether two literals may be added and divided: no rates, and no zero."""
    return not (a + b).count("%") and value_of(a) > 0.0 and value_of(b) > 0.0
