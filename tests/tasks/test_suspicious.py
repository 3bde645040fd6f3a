from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import tiny
from crossfoot.grading.answer import Gold
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.finqa import read_finqa
from crossfoot.tasks.suspicious import Suspicion, suspicion, suspicions

GROWTH = "subtract(5829, 5735), divide(#0, 5735)"


def kind(text: str, program: str = GROWTH, answer: float | str = 0.01639, *unit: str) -> str | None:
    gold = Gold(answer, program, "fraction", text, tiny.page(), unit)
    said = suspicion(gold)
    return said[0] if said else None


@pytest.mark.parametrize("text", ["1.6%", "1.64%", "0.01639", "2%", "1.64% increase", "", "1.63%"])
def test_what_people_wrote_may_be_rounded_or_missing(text: str) -> None:
    assert kind(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.9%", "answer differs"),
        ("1.64", "other scale"),
        ("-1.64%", "other sign"),
        ("yes", "answer differs"),
        ("between 1 and 2", "answer unread"),
    ],
)
def test_an_answer_string_that_says_something_else_is_suspicious(text: str, expected: str) -> None:
    assert kind(text) == expected


def test_a_program_that_gives_something_else_is_suspicious() -> None:
    assert kind("1.6%", answer=0.2) == "program differs"
    assert kind("1.6%", program="add(1") == "program differs"


def test_evidence_that_the_page_lacks_is_suspicious() -> None:
    assert kind("1.6%", GROWTH, 0.01639, "table_77") == "evidence missing"


def test_suspicions_name_conversation_and_turn() -> None:
    sample = Sample("one", tiny.page(), (*tiny.sample().turns[:2], Turn("unlabelled?")))
    assert suspicions([sample]) == [Suspicion("one", 3, "no answer", "has no executed answer")]


def test_a_looked_up_turn_is_not_suspicious() -> None:
    assert suspicions([tiny.sample()]) == []


def test_contradictions_of_the_shared_files(shared_data: Path) -> None:
    counts = {
        name: Counter(
            one.kind for one in suspicions(read_finqa(shared_data / "finqa" / f"{name}.json"))
        )
        for name in ("dev", "train", "train_partial")
    }
    assert counts["dev"] == {
        "answer differs": 50,
        "other scale": 30,
        "other sign": 8,
        "answer unread": 2,
    }
    # README.md of the shared data: three have no answer, three have another one.
    training = counts["train"] + counts["train_partial"]
    assert (training["no answer"], training["program differs"]) == (3, 3)
