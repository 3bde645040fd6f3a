"""Intervals and paired tests over whole pages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.evaluation.intervals import page_bootstrap, paired_permutation

PAGES = [f"page {number // 4}" for number in range(200)]
DRAWS = np.random.default_rng(7).random(200)
CORRECT = [bool(draw < 0.7) for draw in DRAWS]


def test_mean_is_that_of_the_items_not_of_the_pages() -> None:
    assert page_bootstrap([1, 1, 1, 0], ["a", "a", "a", "b"]).mean == 0.75


def test_interval_holds_the_mean() -> None:
    interval = page_bootstrap(CORRECT, PAGES)
    assert interval.low < interval.mean < interval.high


def test_same_seed_gives_the_same_interval() -> None:
    assert page_bootstrap(CORRECT, PAGES, seed=3) == page_bootstrap(CORRECT, PAGES, seed=3)


def test_single_item_pages_give_the_width_of_the_binomial() -> None:
    interval = page_bootstrap(CORRECT, [str(number) for number in range(200)])
    expected = 2 * 1.96 * np.sqrt(interval.mean * (1 - interval.mean) / 200)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.1)


def test_turns_that_fail_together_widen_the_interval() -> None:
    whole_pages = [bool(number // 4 % 3) for number in range(200)]
    by_page = page_bootstrap(whole_pages, PAGES)
    by_turn = page_bootstrap(whole_pages, [str(number) for number in range(200)])
    assert by_page.high - by_page.low > 1.7 * (by_turn.high - by_turn.low)


def test_all_right_has_an_interval_without_width() -> None:
    interval = page_bootstrap([True] * 8, PAGES[:8])
    assert (interval.low, interval.mean, interval.high) == (1.0, 1.0, 1.0)


def test_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="no items"):
        page_bootstrap([], [])


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 items but 1 pages"):
        page_bootstrap([1, 0], ["a"])
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_permutation([1, 0], [1], ["a", "b"])


def test_no_difference_has_p_value_one() -> None:
    paired = paired_permutation(CORRECT, CORRECT, PAGES)
    assert (paired.difference, paired.low, paired.high, paired.p_value) == (0, 0, 0, 1)


def test_clear_difference_has_a_small_p_value_and_an_interval_off_zero() -> None:
    worse = [bool(draw < 0.4) for draw in DRAWS]
    paired = paired_permutation(CORRECT, worse, PAGES)
    assert paired.p_value < 0.001
    assert 0 < paired.low < paired.difference < paired.high


def test_a_single_page_can_never_be_significant() -> None:
    paired = paired_permutation([True] * 50, [False] * 50, ["one page"] * 50)
    assert paired.p_value == 1.0


def test_difference_of_three_pages_has_the_exact_p_value() -> None:
    paired = paired_permutation([1, 1, 1], [0, 0, 0], ["a", "b", "c"])
    assert paired.p_value == pytest.approx(2 / 8, abs=0.02)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=40))
def test_interval_is_within_zero_and_one(items: list[tuple[bool, str]]) -> None:
    correct, pages = [one for one, _ in items], [page for _, page in items]
    interval = page_bootstrap(correct, pages, resamples=50)
    assert 0 <= interval.low <= interval.high <= 1
