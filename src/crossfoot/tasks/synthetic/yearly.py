"""Tables over years: line items by year, share performance, a balance rolled forward.

Example: ``by_year(rng)`` may be net sales and operating profit of 2007, 2006 and 2005. Shapes
after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Printed, Slot
from crossfoot.tasks.synthetic.filling import (
    Layout,
    add_up,
    draw_scale,
    fill,
    pick_lines,
    year_slot,
    year_slots,
)
from crossfoot.tasks.synthetic.numbers import draw_style, series
from crossfoot.tasks.synthetic.wordlists import section, topics

ROLLS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "warranty reserve",
        "changes in the warranty reserve were as follows",
        ("warranty expense", "-warranty claims"),
    ),
    (
        "unrecognized tax benefits",
        "a reconciliation of unrecognized tax benefits is as follows",
        (
            "increases in current period tax positions",
            "-decreases in prior period tax positions",
            "-settlements",
        ),
    ),
    (
        "restructuring liability",
        "activity in the restructuring liability is summarized below",
        ("charges net", "-cash spent", "-currency and other"),
    ),
    (
        "allowance for doubtful accounts",
        "the activity in the allowance was as follows",
        ("provision for bad debts", "-write-offs"),
    ),
    (
        "asset retirement obligations",
        "the changes in our asset retirement obligations were",
        ("liabilities incurred", "accretion expense", "-liabilities settled"),
    ),
    (
        "goodwill",
        "changes in the carrying amount of goodwill are shown below",
        ("acquisitions", "-impairment losses", "foreign currency translation"),
    ),
)


def by_year(rng: Random) -> Layout:
    """Line items by year, either way round."""
    topic = rng.choice(topics())
    slots = year_slots(rng, rng.choices((2, 3, 4, 5), (30, 50, 12, 8))[0], topic.balance)
    turned = rng.random() < 0.12
    count = rng.randint(2, 4) if turned else rng.randint(3, min(10, len(topic.lines)))
    lines = pick_lines(topic.lines, count, rng)
    scale = draw_scale(rng) if any(line.kind in ("money", "shares") for line in lines) else ""
    style = draw_style(rng, scale)
    if topic.name == "shares":
        scale = "" if style.whole_shares else "millions"
    rows = fill(lines, len(slots), style, rng)
    total: int | None = None
    parts: tuple[int, ...] = ()
    lines = _named(topic.name, lines)
    if topic.total:
        lines, rows, total = [*lines, topic.total], [*rows, add_up(rows)], len(rows)
        parts = tuple(range(total))
    elif not turned:
        rows = _with_gaps(rows, rng)
    grid = Grid(
        tuple(lines),
        slots,
        tuple(rows),
        scale,
        True,
        total,
        parts,
        lines_are_rows=not turned,
        printed=_printed(turned, slots, rng),
    )
    return Layout(grid, rng.choice(topic.intros), topic.name)


def _printed(turned: bool, slots: Sequence[Slot], rng: Random) -> Printed:
    falling = len(slots) > 1 and slots[0].year > slots[1].year
    return "changes" if falling and not turned and rng.random() < 0.1 else "plain"


def _named(topic: str, lines: list[Line]) -> list[Line]:
    """Lines called by what they measure, where the header is only a segment or a region."""
    if topic not in ("segments", "regions"):
        return lines
    what = "sales" if topic == "segments" else "revenues"
    patterns = (
        "{what} of {x}",
        "{x} {what}",
        "net {what} of {x}",
        "{what} from {x}",
        "{what} of the {x} segment" if topic == "segments" else "{what} in {x}",
    )
    return [
        Line(
            line.header,
            (*(p.format(what=what, x=line.header) for p in patterns), line.header),
        )
        for line in lines
    ]


def _with_gaps(rows: list[tuple[str, ...]], rng: Random) -> list[tuple[str, ...]]:
    """A few cells, none in the first column, hold a dash instead of a figure."""
    if rng.random() > 0.15:
        return rows
    return [(row[0], *(text if rng.random() > 0.08 else "" for text in row[1:])) for row in rows]


def performance(rng: Random) -> Layout:
    """The value of $ 100 invested in a stock and in indexes."""
    names = [
        rng.choice(section("lines", "companies")),
        *rng.sample(section("lines", "indexes"), rng.randint(2, 3)),
    ]
    count = rng.randint(4, 6)
    slots = tuple(sorted(year_slots(rng, count, True), key=lambda slot: slot.year))
    style = draw_style(rng)
    first = rng.choice(("100", "100.00"))
    rows = [(first, *series("index", count - 1, style, rng, False)) for _ in names]
    lines = tuple(Line(name, _index_names(name), "index") for name in names)
    grid = Grid(lines, slots, tuple(rows), "", True, lines_are_rows=True)
    intro = (
        "the graph compares the cumulative total shareholder return on our common stock with that "
        "of the indexes , assuming an investment of $ 100 at the beginning of the period"
    )
    return Layout(grid, intro, "performance")


def _index_names(name: str) -> tuple[str, ...]:
    bare = name.removesuffix(" inc .")
    return (name, f"value of {bare}", f"performance price of the {bare}", f"{bare} stock value")


def rollforward(rng: Random) -> Layout:
    """A balance carried from year to year in one column, with the same headers every year."""
    what, intro, flows = rng.choice(ROLLS)
    first, count = rng.randint(2004, 2016), rng.randint(2, 3)
    unit = 10.0 ** rng.uniform(1.0, 4.0)
    decimals = 1 if unit < 100.0 else 0
    balance = round(unit * rng.uniform(1.5, 4.0), decimals)
    lines = [*(_flow(flow) for flow in flows), Line(what, (what, f"balance of {what}"))]
    columns = [["" for _ in flows] + [f"{balance:.{decimals}f}"]]
    for _ in range(count):
        moves = [round(unit * rng.uniform(0.1, 0.9), decimals) + 10.0**-decimals for _ in flows]
        moves = [-abs(m) if flow[0] == "-" else m for m, flow in zip(moves, flows, strict=True)]
        while balance + sum(moves) <= 0.0:
            moves[0] += unit
        balance += sum(moves)
        columns.append([f"{value:.{decimals}f}" for value in (*moves, balance)])
    slots = tuple(
        year_slot(year, "december 31", 0, False) for year in range(first, first + count + 1)
    )
    grid = Grid(
        tuple(lines),
        slots,
        tuple(zip(*columns, strict=True)),
        draw_scale(rng),
        True,
        printed="stacked",
    )
    return Layout(grid, intro, "rollforward")


def _flow(flow: str) -> Line:
    header = flow.removeprefix("-")
    return Line(header, (header, f"amount of {header}"))
