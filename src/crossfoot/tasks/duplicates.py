"""Questions that stand twice, and pages that nearly stand in two splits.

``near_pages(dev, train)`` are pairs of pages of which at least half of the first one's sketch is in
the other's. A sketch is the 64 smallest hashes of a page's runs of five words, so that the share
estimates how many runs two pages have in common (Broder 1997, "On the resemblance and containment
of documents").
"""

from __future__ import annotations

import heapq
import re
import zlib
from collections import Counter
from collections.abc import Iterable

from crossfoot.pages.page import Page
from crossfoot.tasks.base import Sample

SHINGLE = 5  # words
SKETCH = 64  # hashes
LIKENESS = 0.5
_WORD = re.compile(r"\w+")


def repeated_questions(samples: Iterable[Sample]) -> list[tuple[str, str]]:
    """Conversations that repeat an earlier one (the same page, the same questions), and which."""
    first: dict[tuple[str, ...], str] = {}
    repeated = []
    for sample in samples:
        asked = (sample.page.page_id, *(_plain(turn.question) for turn in sample.turns))
        if asked in first:
            repeated.append((sample.sample_id, first[asked]))
        first.setdefault(asked, sample.sample_id)
    return repeated


def shared_pages(samples: Iterable[Sample], others: Iterable[Sample]) -> int:
    """How many pages stand in both, by their id."""
    return len(_pages(samples).keys() & _pages(others).keys())


def near_pages(samples: Iterable[Sample], others: Iterable[Sample]) -> list[tuple[str, str, float]]:
    """A page, the page of the others that is most like it, and how like, from ``LIKENESS`` on.

    Pages of the same id are left to ``shared_pages``.
    """
    by_hash: dict[int, list[str]] = {}
    for page_id, page in _pages(others).items():
        for one in _sketch(page):
            by_hash.setdefault(one, []).append(page_id)
    found = []
    for page_id, page in _pages(samples).items():
        sketch = _sketch(page)
        hits = Counter(other for one in sketch for other in by_hash.get(one, ()))
        hits.pop(page_id, None)
        if hits:
            other, count = min(hits.items(), key=lambda hit: (-hit[1], hit[0]))
            if count >= LIKENESS * len(sketch):
                found.append((page_id, other, count / len(sketch)))
    return found


def _pages(samples: Iterable[Sample]) -> dict[str, Page]:
    return {sample.page.page_id: sample.page for sample in samples}


def _sketch(page: Page) -> list[int]:
    cells = (" ".join(row) for row in page.table.rows)
    words = _plain(" ".join((*page.before, *cells, *page.after))).split()
    runs = {
        zlib.crc32(" ".join(words[start : start + SHINGLE]).encode())
        for start in range(max(1, len(words) - SHINGLE + 1))
    }
    return heapq.nsmallest(SKETCH, runs)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))
