"""Conversations on a synthetic page: one plan, or several one after the other.

Example: a plan on a table looks up two years and compares them; the next one asks about notes that
were issued. ConvFinQA joins questions on one page in the same way (Chen et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from crossfoot.tasks.synthetic import over_lines, over_years
from crossfoot.tasks.synthetic.asking import Asked, Plan
from crossfoot.tasks.synthetic.events import talk_of
from crossfoot.tasks.synthetic.pages import Draft
from crossfoot.tasks.synthetic.wording import Voice

MIN_TURNS = 2
MAX_TURNS = 6
_TRIES = 8

# Plans that few tables allow have high weights.
PLANS: tuple[tuple[Plan, int], ...] = (
    (over_years.change, 100),
    (over_years.growth, 20),
    (over_years.ratio, 8),
    (over_years.compound, 9),
    (over_years.totals, 28),
    (over_years.greater, 17),
    (over_years.whole_row, 34),
    (over_years.scaled, 8),
    (over_lines.portion, 34),
    (over_lines.slot_portion, 30),
    (over_lines.two_lines, 14),
    (over_lines.performance, 60),
    (over_lines.bridged, 60),
    (over_lines.valued, 25),
    (over_lines.wander, 4),
)


def draw_conversation(draft: Draft, rng: Random) -> Asked:
    """Turns on a page; fewer than MIN_TURNS where the page gave too little."""
    return join_plans(lambda: _plan(draft, rng), rng)


def join_plans(draw: Callable[[], Asked | None], rng: Random) -> Asked:
    """Plans one after the other, until the conversation is as long as one is at random."""
    asked: Asked = []
    goal = rng.choices((2, 3, 4, 5, 6), (34, 26, 22, 12, 6))[0]
    for _ in range(_TRIES):
        more = draw() or []
        programs = {program for _, program in asked}
        repeats = any(program in programs for _, program in more)
        if not repeats and len(asked) + len(more) <= MAX_TURNS:
            asked += more
        if len(asked) >= goal:
            break
    return asked


def _plan(draft: Draft, rng: Random) -> Asked | None:
    """The turns of one plan: on the table, on figures told in the text, or on an event."""
    source = rng.random()
    if draft.events and source < 0.15:
        return talk_of(rng.choice(draft.events), rng)
    lines = draft.table.lines + tuple(line for grid in draft.told for line in grid.lines)
    table = Voice(rng, draft.table, lines)
    if draft.told and source > 0.58:
        told = Voice(rng, rng.choice(draft.told), lines)
        if source > 0.8:
            return over_lines.across(table, told, rng)
        table = told
    plans, weights = zip(*PLANS, strict=True)
    plan: Plan = rng.choices(plans, weights)[0]
    return plan(table, rng)
