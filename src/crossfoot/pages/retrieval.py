"""The units of a page that a question is likely to be about, by BM25.

``ranked(page, "what was the tax rate in 2016?")[:10]`` are ten units, the best first. The ranking
is Lucene's BM25 (k1 1.5, b 0.75) as bm25s has it (https://github.com/xhluca/bm25s), the collection
is the page, units of equal score stand in the order of the page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import bm25s

from crossfoot.pages.page import Page
from crossfoot.pages.units import filled_units


def ranked(page: Page, question: str) -> tuple[str, ...]:
    """All units that say something, the most likely first."""
    units, index = _index(page)
    (asked,) = _words([question])
    if not asked or index is None:
        return units
    scores = [float(score) for score in index.get_scores(asked)[: len(units)]]
    best = sorted(zip(units, scores, strict=True), key=lambda pair: -pair[1])
    return tuple(name for name, _ in best)


@lru_cache(maxsize=64)
def _index(page: Page) -> tuple[tuple[str, ...], Any]:
    """The units of a page and their index, which every question of a conversation asks."""
    units = filled_units(page)
    words = _words(list(units.values()))
    if not any(words):
        return tuple(units), None
    index = bm25s.BM25()
    index.index(words, show_progress=False)
    return tuple(units), index


def _words(texts: list[str]) -> list[list[str]]:
    return list(bm25s.tokenize(texts, return_ids=False, show_progress=False))
