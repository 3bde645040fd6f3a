"""Tables on shares: restricted awards through a year, purchases by month.

Example: ``awards(rng)`` has the rows unvested, granted, vested, forfeited, unvested. Shapes after
the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from calendar import monthrange
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Slot
from crossfoot.tasks.synthetic.filling import Layout
from crossfoot.tasks.synthetic.numbers import draw_style, series
from crossfoot.tasks.synthetic.wordlists import section


def awards(rng: Random) -> Layout:
    """Unvested shares: opening balance, granted, vested, forfeited, closing balance."""
    year = rng.randint(2004, 2019)
    style = draw_style(rng)
    word = rng.choice(("unvested", "nonvested", "outstanding"))
    low = 10.0 ** rng.uniform(2.0, 4.0) * (1000.0 if style.whole_shares else 1.0)
    flows = [
        round(low * rng.uniform(0.8, 2.0)),
        round(low * rng.uniform(0.3, 0.9)),
        -round(low * rng.uniform(0.1, 0.5)),
        -round(low * rng.uniform(0.02, 0.2)) or -7,
    ]
    shares = [str(flow) for flow in (*flows, sum(flows))]
    prices = series("price", 5, style, rng, False)
    slots = (
        Slot(
            f"{word} at january 1 , {year}",
            f"{word} at the beginning of {year}",
            (f"{word} at the beginning of {year}", f"{word} at january 1, {year}"),
        ),
        Slot("granted", "granted", ("granted", f"granted in {year}", "that were granted")),
        Slot("vested", "vested", ("vested", f"vested in {year}", "that vested")),
        Slot(
            "forfeited",
            "forfeited",
            ("forfeited", f"forfeited during {year}", "that were forfeited"),
        ),
        Slot(
            f"{word} at december 31 , {year}",
            f"{word} at the end of {year}",
            (f"{word} at the end of {year}", f"{word} as of december 31, {year}"),
        ),
    )
    header = "number of shares" if style.whole_shares else "shares ( in thousands )"
    lines = (
        Line(header, ("number of shares", "shares", "number of awards"), "shares"),
        Line(
            "weighted-average grant date fair value",
            (
                "weighted average grant date fair value of shares",
                "fair value of the shares",
                "average grant date fair value of the awards",
            ),
            "price",
        ),
    )
    grid = Grid(lines, slots, (tuple(shares), tuple(prices)), "", False, lines_are_rows=False)
    intro = "the following table summarizes the activity in restricted stock awards during the year"
    return Layout(grid, intro, "awards")


def purchases(rng: Random) -> Layout:
    """Shares purchased by month, with the average price."""
    quarter = rng.randrange(4)
    months = section("events", "months")[3 * quarter : 3 * quarter + 3]
    year = rng.randint(2005, 2019)
    slots = tuple(
        Slot(
            f"{month} 1 - {monthrange(year, 3 * quarter + i)[1]}",
            month,
            (f"in {month}", f"during {month}", f"in {month} {year}", f"in the month of {month}"),
        )
        for i, month in enumerate(months, start=1)
    )
    style = draw_style(rng)
    counts = [str(rng.randint(20_000, 4_000_000)) for _ in months]
    prices = series("price", 3, style, rng, False)
    left = sorted((str(rng.randint(1_000_000, 9_000_000)) for _ in months), reverse=True)
    lines = (
        Line(
            "total number of shares purchased",
            ("number of shares purchased", "shares purchased", "total number of shares purchased"),
            "shares",
        ),
        Line(
            "average price paid per share",
            ("average price paid per share", "average price per share", "price paid per share"),
            "price",
        ),
        Line(
            "maximum number of shares that may yet be purchased",
            (
                "maximum number of shares that may yet be purchased",
                "number of shares that could still be purchased",
            ),
            "shares",
        ),
    )
    grid = Grid(
        lines, slots, (tuple(counts), tuple(prices), tuple(left)), "", False, lines_are_rows=False
    )
    ordinal = ("first", "second", "third", "fourth")[quarter]
    intro = f"our share purchases in the {ordinal} quarter of {year} were as follows"
    return Layout(grid, intro, "purchases")
