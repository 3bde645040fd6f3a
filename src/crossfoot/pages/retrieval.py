"""The units of a page that a question is likely to be about, by BM25.

``ranked(page, "what was the tax rate in 2016?")[:10]`` are ten units, the best first. The ranking
is Lucene's BM25 (k1 1.5, b 0.75) as bm25s has it (https://github.com/xhluca/bm25s), the collection
is the page, units of equal score stand in the order of the page.
"""

from __future__ import annotations

import bm25s

from crossfoot.pages.page import Page
from crossfoot.pages.units import filled_units


def ranked(page: Page, question: str) -> tuple[str, ...]:
    """All units that say something, the most likely first."""
    units = filled_units(page)
    words = _words([*units.values(), question])
    of_units, asked = words[:-1], words[-1]
    if not asked or not any(of_units):
        return tuple(units)
    index = bm25s.BM25()
    index.index(of_units, show_progress=False)
    scores = [float(score) for score in index.get_scores(asked)[: len(units)]]
    best = sorted(zip(units, scores, strict=True), key=lambda pair: -pair[1])
    return tuple(name for name, _ in best)


def _words(texts: list[str]) -> list[list[str]]:
    return list(bm25s.tokenize(texts, return_ids=False, show_progress=False))
