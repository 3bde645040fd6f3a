"""Shapes of synthetic tables: years by line items, commitments, share awards, price indexes ...

Each layout is a function of a random generator; it returns the grid with what introduces it.
Shapes after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Printed, Scale, Slot, value_of
from crossfoot.tasks.synthetic.numbers import Style, decimals_of, draw_style, near, series
from crossfoot.tasks.synthetic.vocabulary import (
    ACQUIRED,
    BRIDGE,
    COMMITMENTS,
    COMPANIES,
    INDEXES,
    TOPICS,
    Topic,
)


_SMALL = re.compile(
    r"risk-free|yield|return on|compensation inc|discount rate|interest margin|growth"
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
    return tuple(_year_slot(year, month, style, balance) for year in years)


def _year_slot(year: int, month: str, style: int, balance: bool) -> Slot:
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


def fill(lines: Sequence[Line], slots: int, style: Style, rng: Random) -> list[list[str]]:
    """Figures for every line; some nearly equal one of the line above."""
    rows: list[list[str]] = []
    for line in lines:
        small = line.kind == "percent" and bool(_SMALL.search(line.header))
        negative = line.signed and rng.random() < 0.65
        row = series(line.kind, slots, style, rng, negative, small)
        above = rows[-1] if rows else []
        if above and lines[len(rows) - 1].kind == line.kind and rng.random() < 0.15:
            place = rng.randrange(slots)
            twin = near(above[place], rng)
            ratio = value_of(twin) / value_of(row[place])
            if twin not in row and twin[0] != "-" and 0.6 < ratio < 1.6:
                row[place] = twin
        rows.append(row)
    return rows


def add_up(rows: Sequence[Sequence[str]]) -> list[str]:
    """The sum of each column, with the decimals of the figures."""
    sums = []
    for column in zip(*rows, strict=True):
        decimals = max(decimals_of(text) for text in column)
        sums.append(f"{sum(float(text) for text in column):.{decimals}f}")
    return sums


def by_year(rng: Random) -> Layout:
    """Line items by year, either way round."""
    topic = rng.choice(TOPICS)
    slots = year_slots(rng, rng.choices((2, 3, 4, 5), (30, 50, 12, 8))[0], topic.balance)
    turned = rng.random() < 0.12
    count = rng.randint(2, 4) if turned else rng.randint(3, min(10, len(topic.lines)))
    lines = pick_lines(topic.lines, count, rng)
    scale = draw_scale(rng) if any(line.kind in ("money", "shares") for line in lines) else ""
    rows = fill(lines, len(slots), draw_style(rng, scale), rng)
    total: int | None = None
    parts: tuple[int, ...] = ()
    lines = _named(topic.name, lines)
    if topic.total:
        lines, rows, total = _with_total(topic, lines, rows)
        parts = tuple(range(total))
    elif not turned:
        rows = _with_gaps(rows, rng)
    grid = Grid(
        tuple(lines),
        slots,
        tuple(map(tuple, rows)),
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
            tuple(p.format(what=what, x=line.header) for p in patterns) + (line.header,),
        )
        for line in lines
    ]


def _with_total(
    topic: Topic, lines: list[Line], rows: list[list[str]]
) -> tuple[list[Line], list[list[str]], int]:
    header, *names = topic.total.split("|")
    return [*lines, Line(header, (header, *names))], [*rows, add_up(rows)], len(lines)


def _with_gaps(rows: list[list[str]], rng: Random) -> list[list[str]]:
    """A few cells hold a dash instead of a figure."""
    if rng.random() > 0.15:
        return rows
    return [[text if rng.random() > 0.06 else "" for text in row] for row in rows]


def commitments(rng: Random) -> Layout:
    """Contractual obligations by when they are due, with totals both ways."""
    lines = pick_lines(COMMITMENTS, rng.randint(2, 6), rng)
    if rng.random() < 0.5:
        first = rng.randint(2006, 2019)
        dues = [
            Slot(str(y), str(y), (f"due in {y}", f"in {y}", f"for {y}"), y)
            for y in range(first, first + rng.randint(3, 5))
        ]
        dues.append(Slot("thereafter", "thereafter", ("due thereafter", "after those years")))
    else:
        spans = ("less than 1 year", "1-3 years", "3-5 years", "more than 5 years")
        dues = [Slot(s, s, (f"due in {s}", f"with payments due in {s}")) for s in spans]
    scale = draw_scale(rng)
    rows = fill(lines, len(dues), draw_style(rng, scale), rng)
    rows = [[*row, _sum(row)] for row in rows]
    whole = Slot("total", "total", ("in total", "for all periods", "overall"))
    parts = tuple(range(len(lines)))
    named = Line("total", ("total contractual obligations", "total obligations"))
    grid = Grid(
        (*lines, named),
        (*dues, whole),
        (*map(tuple, rows), tuple(add_up(rows))),
        scale,
        False,
        len(lines),
        parts,
        total_slot=len(dues),
        lines_are_rows=rng.random() < 0.7,
    )
    intro = "the following table summarizes our contractual obligations and commercial commitments"
    return Layout(grid, intro, "commitments")


def _sum(row: Sequence[str]) -> str:
    decimals = max(decimals_of(text) for text in row)
    return f"{sum(float(text) for text in row):.{decimals}f}"


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


def performance(rng: Random) -> Layout:
    """The value of $ 100 invested in a stock and in indexes."""
    names = [rng.choice(COMPANIES), *rng.sample(INDEXES, rng.randint(2, 3))]
    count = rng.randint(4, 6)
    slots = tuple(reversed(year_slots(rng, count, True)))
    if slots[0].year > slots[-1].year:
        slots = tuple(reversed(slots))
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


def purchases(rng: Random) -> Layout:
    """Shares purchased by month, with the average price."""
    months = rng.choice(
        (
            ("october", "november", "december"),
            ("july", "august", "september"),
            ("april", "may", "june"),
            ("january", "february", "march"),
        )
    )
    year = rng.randint(2005, 2019)
    slots = tuple(
        Slot(
            f"{month} 1 - {31 if i != 1 else 30}",
            month,
            (f"in {month}", f"during {month}", f"in {month} {year}", f"in the month of {month}"),
        )
        for i, month in enumerate(months)
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
    return Layout(
        grid,
        f"our share purchases in the fourth quarter of {year} were as follows"
        if months[0] == "october"
        else f"our share purchases in {year} were as follows",
        "purchases",
    )


def allocation(rng: Random) -> Layout:
    """What was paid for in an acquisition: one column of amounts."""
    lines = pick_lines(ACQUIRED, rng.randint(4, 9), rng)
    scale = draw_scale(rng)
    rows = fill(lines, 1, draw_style(rng, scale), rng)
    named = Line("total assets acquired", ("total assets acquired", "total of assets acquired"))
    slot = Slot(_amount_header(scale, rng), "amount", ("",))
    grid = Grid(
        (*lines, named),
        (slot,),
        (*map(tuple, rows), tuple(add_up(rows))),
        scale,
        False,
        len(lines),
        tuple(range(len(lines))),
        printed="bare" if rng.random() < 0.4 else "plain",
    )
    name = rng.choice(COMPANIES)
    intro = f"the purchase price of {name} was allocated to the assets acquired as follows"
    return Layout(grid, intro, "allocation")


def bridge(rng: Random) -> Layout:
    """Net revenue of one year, what changed it, net revenue of the next."""
    year = rng.randint(2003, 2018)
    effects = pick_lines(BRIDGE, rng.randint(3, 6), rng)
    style = Style(1, rng.uniform(0.8, 1.6), 1, False)
    rows = fill(effects, 1, style, rng)
    start = f"{rng.uniform(180.0, 2400.0):.1f}"
    end = _sum([start, *(row[0] for row in rows)])
    ends = [
        Line(
            f"{y} net revenue",
            (
                f"{y} net revenue",
                f"net revenue in {y}",
                f"net revenue for {y}",
                f"value of net revenue in {y}",
            ),
        )
        for y in (year, year + 1)
    ]
    slot = Slot("amount ( in millions )", "amount", ("",))
    lines = (ends[0], *effects, ends[1])
    grid = Grid(
        lines,
        (slot,),
        ((start,), *map(tuple, rows), (end,)),
        "millions",
        False,
        printed="bare" if rng.random() < 0.3 else "plain",
    )
    intro = f"following is an analysis of the change in net revenue comparing {year + 1} to {year}"
    return Layout(grid, intro, "bridge")


def rollforward(rng: Random) -> Layout:
    """A balance carried from year to year in one column, with the same headers every year."""
    what, intro, flows = rng.choice(ROLLS)
    first, count = rng.randint(2004, 2016), rng.randint(2, 3)
    unit = 10.0 ** rng.uniform(1.0, 4.0)
    decimals = 1 if unit < 100.0 else 0
    balance = round(unit * rng.uniform(1.5, 4.0), decimals)
    lines = [*(_flow(flow, what) for flow in flows), Line(what, (what, f"balance of {what}"))]
    columns = [["" for _ in flows] + [f"{balance:.{decimals}f}"]]
    for _ in range(count):
        moves = [round(unit * rng.uniform(0.1, 0.9), decimals) + 10.0**-decimals for _ in flows]
        moves = [-abs(m) if flow[0] == "-" else m for m, flow in zip(moves, flows, strict=True)]
        while balance + sum(moves) <= 0.0:
            moves[0] += unit
        balance += sum(moves)
        columns.append([f"{value:.{decimals}f}" for value in (*moves, balance)])
    slots = tuple(
        _year_slot(year, "december 31", 0, True) for year in range(first, first + count + 1)
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


def _flow(flow: str, what: str) -> Line:
    header = flow.removeprefix("-")
    return Line(header, (header, f"amount of {header}", f"{header} to {what}"))


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


def _amount_header(scale: Scale, rng: Random) -> str:
    return rng.choice((f"amount ( in {scale} )", f"( in {scale} )")) if scale else "amount"


LAYOUTS: tuple[tuple[Callable[[Random], Layout], int], ...] = (
    (by_year, 58),
    (commitments, 8),
    (awards, 7),
    (performance, 7),
    (purchases, 5),
    (allocation, 6),
    (bridge, 6),
    (rollforward, 7),
)


def draw_layout(rng: Random) -> Layout:
    """A layout at random."""
    makers = [maker for maker, _ in LAYOUTS]
    return rng.choices(makers, [weight for _, weight in LAYOUTS])[0](rng)
