"""Which table a synthetic page has.

Example: ``draw_layout(rng)`` is a table of line items by year more often than not, as on the FinQA
training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from crossfoot.tasks.synthetic.amounts import allocation, bridge, commitments
from crossfoot.tasks.synthetic.filling import Layout
from crossfoot.tasks.synthetic.share_tables import awards, purchases
from crossfoot.tasks.synthetic.yearly import by_year, performance, rollforward

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
    makers, weights = zip(*LAYOUTS, strict=True)
    maker: Callable[[Random], Layout] = rng.choices(makers, weights)[0]
    return maker(rng)
