"""Tables of amounts: obligations by when they are due, assets acquired, a bridge of net revenue.

Example: ``commitments(rng)`` may be debt and leases due in less than 1 year, 1-3 years ... and in
total. Shapes after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Scale, Slot
from crossfoot.tasks.synthetic.filling import Layout, add_up, draw_scale, fill, pick_lines, sum_of
from crossfoot.tasks.synthetic.numbers import Style, draw_style
from crossfoot.tasks.synthetic.wordlists import lines, section


def commitments(rng: Random) -> Layout:
    """Contractual obligations by when they are due, with totals both ways."""
    chosen = pick_lines(lines("commitments"), rng.randint(2, 6), rng)
    if rng.random() < 0.5:
        first = rng.randint(2006, 2019)
        dues = [
            Slot(str(y), str(y), (f"due in {y}", f"in {y}", f"for {y}"), y)
            for y in range(first, first + rng.randint(3, 5))
        ]
        after = dues[-1].year
        wheres = ("due thereafter", f"due after {after}", f"after {after}", f"beyond {after}")
        dues.append(Slot("thereafter", "thereafter", wheres))
    else:
        spans = ("less than 1 year", "1-3 years", "3-5 years", "more than 5 years")
        dues = [Slot(s, s, (f"due in {s}", f"with payments due in {s}")) for s in spans]
    scale = draw_scale(rng)
    rows = fill(chosen, len(dues), draw_style(rng, scale), rng)
    rows = [(*row, sum_of(row)) for row in rows]
    whole = Slot("total", "total", ("in total", "for all periods", "overall"))
    parts = tuple(range(len(chosen)))
    named = Line("total", ("total contractual obligations", "total obligations"))
    grid = Grid(
        (*chosen, named),
        (*dues, whole),
        (*rows, add_up(rows)),
        scale,
        False,
        len(chosen),
        parts,
        total_slot=len(dues),
        lines_are_rows=rng.random() < 0.7,
    )
    intro = "the following table summarizes our contractual obligations and commercial commitments"
    return Layout(grid, intro, "commitments")


def allocation(rng: Random) -> Layout:
    """What was paid for in an acquisition: one column of amounts."""
    chosen = pick_lines(lines("acquired"), rng.randint(4, 9), rng)
    scale = draw_scale(rng)
    rows = fill(chosen, 1, draw_style(rng, scale), rng)
    named = Line("total assets acquired", ("total assets acquired", "total of assets acquired"))
    slot = Slot(_amount_header(scale, rng), "amount", ("",))
    grid = Grid(
        (*chosen, named),
        (slot,),
        (*rows, add_up(rows)),
        scale,
        False,
        len(chosen),
        tuple(range(len(chosen))),
        printed="bare" if rng.random() < 0.4 else "plain",
    )
    name = rng.choice(section("lines", "companies"))
    intro = f"the purchase price of {name} was allocated to the assets acquired as follows"
    return Layout(grid, intro, "allocation")


def bridge(rng: Random) -> Layout:
    """Net revenue of one year, what changed it, net revenue of the next."""
    year = rng.randint(2003, 2018)
    effects = pick_lines(lines("bridge"), rng.randint(3, 6), rng)
    style = Style(1, rng.uniform(0.8, 1.6), 1, False)
    rows = fill(effects, 1, style, rng)
    start = f"{rng.uniform(180.0, 2400.0):.1f}"
    end = sum_of([start, *(row[0] for row in rows)])
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
    grid = Grid(
        (ends[0], *effects, ends[1]),
        (slot,),
        ((start,), *rows, (end,)),
        "millions",
        False,
        printed="bare" if rng.random() < 0.3 else "plain",
    )
    intro = f"following is an analysis of the change in net revenue comparing {year + 1} to {year}"
    return Layout(grid, intro, "bridge")


def _amount_header(scale: Scale, rng: Random) -> str:
    return rng.choice((f"amount ( in {scale} )", f"( in {scale} )")) if scale else "amount"
