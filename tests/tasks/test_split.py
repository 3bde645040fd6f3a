from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.split import choose, validation_split


def _samples(pages: list[int]) -> list[Sample]:
    return [
        Sample(f"s{index}", Page(f"p{page}", (), Table(()), ()), ())
        for index, page in enumerate(pages)
    ]


_PAGES = st.lists(st.integers(0, 6), max_size=20)


@given(_PAGES, st.integers(0, 25), st.integers(0, 3))
def test_no_page_is_in_both_parts(pages: list[int], count: int, seed: int) -> None:
    train, held_out = validation_split(_samples(pages), count, seed)
    assert not {s.page.page_id for s in train} & {s.page.page_id for s in held_out}


@given(_PAGES, st.integers(0, 25), st.integers(0, 3))
def test_parts_together_are_all_samples_each_in_order(
    pages: list[int], count: int, seed: int
) -> None:
    samples = _samples(pages)
    train, held_out = validation_split(samples, count, seed)
    assert sorted(train + held_out, key=samples.index) == samples
    assert train == [s for s in samples if s in train]
    assert held_out == [s for s in samples if s in held_out]
    assert len(held_out) >= min(count, len(samples))


@given(_PAGES, st.integers(0, 25))
def test_membership_does_not_depend_on_order(pages: list[int], count: int) -> None:
    samples = _samples(pages)
    shuffled = samples[::-1]
    assert {s.sample_id for s in validation_split(samples, count, 0)[1]} == {
        s.sample_id for s in validation_split(shuffled, count, 0)[1]
    }


@given(_PAGES, st.integers(0, 25), st.integers(0, 3))
def test_chosen_samples_keep_their_order_and_number(
    pages: list[int], count: int, seed: int
) -> None:
    samples = _samples(pages)
    chosen = choose(samples, count, seed)
    assert len(chosen) == min(count, len(samples))
    assert chosen == [s for s in samples if s in chosen]


@given(_PAGES, st.integers(0, 10), st.integers(0, 10))
def test_smaller_choice_is_part_of_a_larger_one(pages: list[int], few: int, more: int) -> None:
    samples = _samples(pages)
    few, more = sorted((few, more))
    larger = choose(samples, more, 0)
    assert all(sample in larger for sample in choose(samples, few, 0))


def test_seeds_choose_differently() -> None:
    samples = _samples(list(range(50)))
    assert choose(samples, 10, 0) != choose(samples, 10, 1)
    assert validation_split(samples, 10, 0) != validation_split(samples, 10, 1)


def test_split_of_the_shared_training_file_stays_what_adapters_were_trained_with(
    shared_data: Path,
) -> None:
    samples = read_convfinqa(shared_data / "convfinqa" / "train.json")
    train, held_out = validation_split(samples, 150, 0)
    assert (len(train), len(held_out)) == (559, 150)
    assert _digest(held_out) == "088f8e73b8cc1b34"
    assert _digest(choose(held_out, 40, 0)) == "31ff8a0625ffc4d7"


def _digest(samples: list[Sample]) -> str:
    ids = "\n".join(sample.sample_id for sample in samples)
    return hashlib.sha256(ids.encode()).hexdigest()[:16]
