"""Validation splits and fixed subsets, functions of ids and a seed alone.

Conversations of one page belong together: a page is never in both parts of a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from crossfoot.tasks.base import Sample

VALIDATION = "validation"  # a split that is cut off train, not a file
HELD_OUT = 150  # conversations of it, where nobody says how many


def validation_split(
    samples: Sequence[Sample], count: int = HELD_OUT, seed: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Cut at least ``count`` samples off by whole pages: (train, validation), each in order."""
    pages: dict[str, int] = {}
    for sample in samples:
        pages[sample.page.page_id] = pages.get(sample.page.page_id, 0) + 1
    held_out: set[str] = set()
    total = 0
    for page_id in sorted(pages, key=lambda page: _rank(page, seed)):
        if total >= count:
            break
        held_out.add(page_id)
        total += pages[page_id]
    train = [sample for sample in samples if sample.page.page_id not in held_out]
    return train, [sample for sample in samples if sample.page.page_id in held_out]


def choose(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """``count`` samples by a fixed seed, in the order of ``samples``."""
    chosen = sorted(samples, key=lambda sample: _rank(sample.sample_id, seed))[:count]
    ids = {sample.sample_id for sample in chosen}
    return [sample for sample in samples if sample.sample_id in ids]


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
