"""Figures of synthetic pages: random literals, series over years, and how a page prints them.

Example: ``printed("-26", "money", True, rng)`` may be ``$ -26 ( 26 )``, as FinQA prints a negative
amount (Chen et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from crossfoot.tasks.synthetic.figures import Kind, Scale


@dataclass(frozen=True, slots=True)
class Style:
    """How a grid writes its figures: decimals, and orders of magnitude.

    ``shares`` is the order of magnitude of share counts, ``price`` that of amounts per share.
    """

    decimals: int
    magnitude: float
    percent_decimals: int
    whole_shares: bool
    shares: float = 2.0
    price: float = 1.0


def draw_style(rng: Random, scale: Scale = "") -> Style:
    """A style as filings have it: mostly whole numbers or one decimal."""
    decimals = rng.choices((0, 1, 2), (55, 35, 10))[0]
    magnitude = rng.uniform(1.0, 3.9) if decimals else rng.uniform(1.8, 4.6)
    if scale == "billions":
        decimals, magnitude = max(decimals, 1), rng.uniform(0.3, 2.0)
    elif scale == "thousands":
        decimals, magnitude = 0, rng.uniform(2.8, 6.2)
    whole = rng.random() < 0.35
    shares = rng.uniform(4.5, 7.3) if whole else rng.uniform(1.6, 3.0)
    price = rng.choice((rng.uniform(0.2, 0.9), rng.uniform(0.9, 2.1)))
    return Style(decimals, magnitude, rng.choice((0, 1, 1, 1, 2, 2)), whole, shares, price)


def series(
    kind: Kind, count: int, style: Style, rng: Random, negative: bool, small: bool = False
) -> list[str]:
    """``count`` figures of one line that move a little from each to the next, all different."""
    start, decimals = _start(kind, style, rng)
    if small:
        start = rng.uniform(1.0, 9.0)
    values: list[str] = []
    value = start
    for _ in range(count):
        text = write(-value if negative else value, decimals, kind)
        while text in values or float(text.rstrip("%")) == 0.0:
            value = value * rng.uniform(1.02, 1.2) + 10.0**-decimals
            text = write(-value if negative else value, decimals, kind)
        values.append(text)
        value *= rng.choice(
            (rng.uniform(0.7, 0.98), rng.uniform(1.01, 1.3), rng.uniform(0.95, 1.05))
        )
        if kind == "percent":
            value = min(value, 97.0)
    return values


def _start(kind: Kind, style: Style, rng: Random) -> tuple[float, int]:
    if kind == "percent":
        return rng.choice((rng.uniform(0.8, 9.0), rng.uniform(5.0, 60.0))), style.percent_decimals
    if kind == "price":
        return 10.0 ** (style.price + rng.uniform(-0.25, 0.05)), 2
    if kind == "index":
        return rng.uniform(70.0, 190.0), 2
    if kind == "years":
        return rng.uniform(2.0, 9.0), 1
    if kind == "count":
        return 10.0 ** rng.uniform(1.3, 5.0), 0
    if kind == "shares":
        spread = rng.choice((rng.uniform(-0.1, 0.1), rng.uniform(-1.2, 0.0)))
        return 10.0 ** (style.shares + spread), 0 if style.whole_shares else 1
    spread = rng.choice((rng.uniform(-0.15, 0.15), rng.uniform(-1.0, 0.3)))
    return max(10.0 ** (style.magnitude + spread), 3.0 * 10.0**-style.decimals), style.decimals


def write(value: float, decimals: int, kind: Kind) -> str:
    """A clean literal: no thousands separators, a percent sign where it is a percentage."""
    text = f"{value:.{decimals}f}"
    return f"{text}%" if kind == "percent" else text


def decimals_of(literal: str) -> int:
    """How many decimals a literal has."""
    return len(literal.rstrip("%").partition(".")[2])


def near(literal: str, rng: Random) -> str:
    """A literal that looks much like another: two digits swapped, or one changed."""
    places = [i for i, char in enumerate(literal) if char.isdigit()][1:]
    if not places:
        return literal
    digits = list(literal)
    if len(places) > 1 and rng.random() < 0.5:
        first = rng.randrange(len(places) - 1)
        a, b = places[first], places[first + 1]
        digits[a], digits[b] = digits[b], digits[a]
    else:
        digits[rng.choice(places)] = str(rng.randrange(10))
    return "".join(digits)


def cell(literal: str, kind: Kind, dollar: bool) -> str:
    """A literal as a table cell of FinQA shows it."""
    if literal.endswith("%"):
        bare = literal[:-1]
        return f"{literal} ( {bare.lstrip('-')} % )"
    sign = "$ " if dollar and kind in ("money", "price") else ""
    return f"{sign}{literal} ( {literal[1:]} )" if literal.startswith("-") else sign + literal


def spoken(literal: str, kind: Kind, scale: str) -> str:
    """A literal as a sentence says it: ``$ 5.2 million``, ``27.0% ( 27.0 % )``."""
    if kind == "percent":
        return f"{literal} ( {literal[:-1]} % )"
    if kind == "price":
        return f"$ {literal}"
    word = f" {scale.rstrip('s')}" if scale else ""
    if kind == "money":
        return f"$ {literal}{word}"
    return f"{literal}{word}" if kind == "shares" else literal
