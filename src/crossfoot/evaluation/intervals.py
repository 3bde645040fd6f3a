"""Intervals and paired tests that resample whole pages.

``page_bootstrap([True, False, True], ["a", "a", "b"])`` is the mean 0.667 with its 95% interval.
Conversations share pages and turns share conversations, so single turns are not independent and
would give intervals that are too narrow (Cameron & Miller 2015, "A practitioner's guide to
cluster-robust inference"; percentile bootstrap: Efron & Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BOOTSTRAP_RESAMPLES = 2_000
PERMUTATIONS = 10_000
_CONFIDENCE = 0.95
# Draws held at once, so that memory does not grow with the number of pages.
_CHUNK = 4_000_000

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of a minus that of b, its 95% interval and the p-value of no difference."""

    difference: float
    low: float
    high: float
    p_value: float


def page_bootstrap(
    correct: Sequence[float],
    pages: Sequence[str],
    *,
    resamples: int = BOOTSTRAP_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The mean over items, with the percentile interval over resampled pages."""
    totals, counts = _by_page(correct, pages)
    means = _resampled_means(totals, counts, resamples, seed)
    low, high = _percentiles(means)
    return Interval(float(totals.sum() / counts.sum()), low, high)


def paired_permutation(
    a: Sequence[float],
    b: Sequence[float],
    pages: Sequence[str],
    seed: int = 0,
    *,
    permutations: int = PERMUTATIONS,
    resamples: int = BOOTSTRAP_RESAMPLES,
) -> PairedDifference:
    """Compare two results on the same items; whole pages change sides in the permutations."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} items cannot be paired")
    totals, counts = _by_page([float(x) - float(y) for x, y in zip(a, b, strict=True)], pages)
    low, high = _percentiles(_resampled_means(totals, counts, resamples, seed))
    p_value = _sign_flip(totals, permutations, seed)
    return PairedDifference(float(totals.sum() / counts.sum()), low, high, p_value)


def _by_page(values: Sequence[float], pages: Sequence[str]) -> tuple[_Floats, _Floats]:
    """For each page the sum of its items and their number, in order of first appearance."""
    if len(values) != len(pages):
        raise ValueError(f"{len(values)} items but {len(pages)} pages")
    if not values:
        raise ValueError("no items to take a mean of")
    places = {page: place for place, page in enumerate(dict.fromkeys(pages))}
    index = np.array([places[page] for page in pages])
    totals = np.bincount(index, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(index)
    return totals.astype(np.float64), counts.astype(np.float64)


def _resampled_means(totals: _Floats, counts: _Floats, resamples: int, seed: int) -> _Floats:
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // len(totals))
    means = []
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(len(totals), size=(rows, len(totals)))
        means.append(totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)


def _percentiles(means: _Floats) -> tuple[float, float]:
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _sign_flip(totals: _Floats, permutations: int, seed: int) -> float:
    # Pages without a difference stay without one under any sign.
    totals = totals[totals != 0]
    if len(totals) == 0:
        return 1.0
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // len(totals))
    observed = abs(totals.sum()) - 1e-9
    extreme = 0
    for start in range(0, permutations, chunk):
        rows = min(chunk, permutations - start)
        signs = generator.integers(0, 2, size=(rows, len(totals)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ totals) >= observed).sum())
    return (1 + extreme) / (1 + permutations)
