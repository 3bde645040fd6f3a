"""Synthetic pages: a table with its words before and after, and the figures told in sentences.

Example: a page on cash flows with a sentence on rent expense of three years and another on notes
that were issued. Page shapes after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.synthetic.events import Event, draw_event
from crossfoot.tasks.synthetic.figures import Grid
from crossfoot.tasks.synthetic.filling import Layout
from crossfoot.tasks.synthetic.layouts import draw_layout
from crossfoot.tasks.synthetic.printing import print_table
from crossfoot.tasks.synthetic.telling import distractor, draw_told, filler, sentence
from crossfoot.tasks.synthetic.wording import may_be_confused

# Events that a question could confuse with what a table of the topic holds.
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "awards": ("grant", "unrecognized"),
    "purchases": ("repurchase",),
    "shares": ("repurchase", "grant"),
    "cash flows": ("repurchase", "notes"),
    "operating statistics": ("staff",),
    "debt": ("notes",),
}
# Tables whose lines mean nothing in a sentence of their own.
_UNMATCHED = frozenset(["awards", "bridge", "performance", "purchases"])


@dataclass(frozen=True, slots=True)
class Draft:
    """A page and what a conversation may ask about it."""

    page: Page
    table: Grid
    told: tuple[Grid, ...]
    events: tuple[Event, ...]


def draw_page(page_id: str, rng: Random) -> Draft:
    """A page at random."""
    layout = draw_layout(rng)
    told = _told(layout, rng)
    events = _events(layout, rng)
    facts = [sentence(grid, rng) for grid in told] + [event.sentence for event in events]
    before, after = _paragraphs(layout, facts, rng)
    page = Page(page_id, before, Table(print_table(layout.grid, rng)), after)
    return Draft(page, layout.grid, told, events)


def _told(layout: Layout, rng: Random) -> tuple[Grid, ...]:
    """Figures for sentences, none of a line that could be taken for another."""
    told: list[Grid] = []
    lines = list(layout.grid.lines)
    for _ in range(rng.choices((0, 1, 2), (40, 40, 20))[0]):
        grid = draw_told(layout.grid.slots, rng)
        if not any(may_be_confused(grid.lines[0], line) for line in lines):
            told.append(grid)
            lines += grid.lines
    return tuple(told)


def _events(layout: Layout, rng: Random) -> tuple[Event, ...]:
    """Up to two events of different kinds."""
    newest = max(slot.year for slot in layout.grid.slots)
    year = newest or rng.randint(2005, 2018)
    drawn = [draw_event(year, rng) for _ in range(rng.choices((0, 1, 2), (50, 40, 10))[0])]
    kinds = {event.kind: event for event in drawn}
    taken = _TAKEN.get(layout.topic, ())
    return tuple(event for kind, event in kinds.items() if kind not in taken)


def _paragraphs(
    layout: Layout, facts: list[str], rng: Random
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Text before and after the table; the last sentence before it introduces it."""
    distractors = rng.choices((0, 1, 2), (40, 35, 25))[0]
    if layout.topic in _UNMATCHED:
        distractors = 0
    sentences = facts + [distractor(layout.grid, rng) for _ in range(distractors)]
    length = rng.lognormvariate(6.3, 0.75)
    for text in filler(rng):
        if sum(map(len, sentences)) >= length:
            break
        sentences.append(text)
    rng.shuffle(sentences)
    cut = rng.randint(0, len(sentences))
    scale = layout.grid.scale
    caption = f" ( in {scale} )" if scale and rng.random() < 0.5 else ""
    intro = f"{layout.intro}{caption} {rng.choice(('.', ': .'))}"
    before, after = (*sentences[:cut], intro), tuple(sentences[cut:])
    if rng.random() < 0.3:
        return (" ".join(before),), (" ".join(after),) if after else ()
    return before, after
