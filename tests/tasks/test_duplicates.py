from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import tiny
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.duplicates import near_pages, repeated_questions, shared_pages

WORDS = [f"word{number}" for number in range(200)]


def on(page_id: str, words: list[str], question: str = "how much?") -> Sample:
    page = Page(page_id, (" ".join(words),), Table((("", "2016"), ("revenue", "1"))), ())
    return Sample(f"{page_id}-{question}", page, (Turn(question),))


def test_the_same_questions_on_the_same_page_are_a_repetition() -> None:
    first = on("a", WORDS, "How much ?")
    same, other = on("a", WORDS, "how much?"), on("a", WORDS, "how many?")
    found = repeated_questions([first, same, other, on("b", WORDS, "how much?")])
    assert found == [(same.sample_id, first.sample_id)]


def test_pages_are_shared_by_id() -> None:
    assert shared_pages([on("a", WORDS), on("b", WORDS)], [on("b", WORDS), on("c", WORDS)]) == 1


def test_a_page_with_a_few_other_words_is_nearly_the_same() -> None:
    changed = [*WORDS[:195], "other", "words", "at", "the", "end"]
    ((page, like, likeness),) = near_pages([on("2016", changed)], [on("2015", WORDS)])
    assert (page, like) == ("2016", "2015")
    assert likeness > 0.8


@pytest.mark.parametrize("words", [WORDS[::-1], ["else"] * 50, []])
def test_other_pages_are_not(words: list[str]) -> None:
    assert near_pages([on("a", words)], [on("b", WORDS)]) == []


def test_the_page_itself_and_the_order_of_the_others_do_not_count() -> None:
    near = [on("x", WORDS), on("y", WORDS), on("a", WORDS)]
    found = near_pages([on("a", WORDS)], near)
    assert [one[:2] for one in found] == [("a", "x")]
    assert near_pages([on("a", WORDS)], near[::-1]) == found


def test_a_page_without_words_is_compared_too() -> None:
    empty = replace(tiny.page(), page_id="empty", before=(), table=Table(()), after=())
    assert near_pages([Sample("e", empty, ())], [on("b", WORDS)]) == []


def test_no_page_of_the_shared_dev_files_stands_in_train(shared_data: Path) -> None:
    folder = shared_data / "convfinqa"
    dev, train = (read_convfinqa(folder / f"{name}.json") for name in ("dev", "train"))
    assert shared_pages(dev, train) == 0
