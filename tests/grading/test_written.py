from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.arithmetic.program import tokenize
from crossfoot.grading.answer import Answer, Gold, Submission
from crossfoot.grading.texts import submission_of
from crossfoot.grading.written import answer_correct, read_answer, written
from crossfoot.tasks.finqa import read_finqa


def right(value: float | str, text: str, written_as: str = "") -> bool | None:
    unit = "yes_no" if isinstance(value, str) else "absolute"
    answer = Answer(value, unit, written_as)  # type: ignore[arg-type]
    return answer_correct(Submission(answer), Gold(0.0, "add(1, 2)", "absolute", text))


@pytest.mark.parametrize(
    ("text", "value", "half", "percent"),
    [
        ("14.2%", 14.2, 0.05, True),
        ("5% increase in inventories", 5.0, 0.5, True),
        ("$ 17966 million", 17966.0, 0.5, False),
        ("$ 1,234.50", 1234.5, 0.005, False),
        ("-3.25", -3.25, 0.005, False),
        ("-26 (26)", -26.0, 0.5, False),
        ("( 26 )", -26.0, 0.5, False),
        ("increase of $ 19972.62", 19972.62, 0.005, False),
        ("10.52\\\\n", 10.52, 0.005, False),
    ],
)
def test_the_one_number_of_an_answer_string(
    text: str, value: float, half: float, percent: bool
) -> None:
    found = written(text)
    assert found is not None
    assert (found.value, found.percent) == (value, percent)
    assert found.half == pytest.approx(half)


@pytest.mark.parametrize("text", ["", "yes", "1:50", "from 3 to 5", "9.1 < interest < 31.1"])
def test_no_number_or_several_are_none(text: str) -> None:
    assert written(text) is None


@pytest.mark.parametrize("digits", [16, 99, 400])
def test_digits_without_end_are_no_answer(digits: int) -> None:
    assert read_answer("it was " + "9" * digits) is None
    assert submission_of("$ " + "9" * digits + " million", "answer").malformed


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (0.14235, "14.2%", True),
        (0.1425, "14.2%", True),
        (0.1435, "14.2%", False),
        (0.04996, "5%", True),
        (14.2, "14.2%", False),
        (20664.0, "20664", True),
        (20664.4, "20664", True),
        (-20664.0, "20664", False),
        ("yes", "yes", True),
        ("no", "yes", False),
        (1.0, "yes", False),
        (1.0, "see note 4 and note 5", False),
    ],
)
def test_a_value_is_right_to_the_precision_of_the_writing(
    value: float | str, text: str, expected: bool
) -> None:
    assert right(value, text) is expected


def test_the_same_words_are_right_whatever_they_say() -> None:
    assert right(3.0, "Between 3  and 5", "between 3 and 5") is True


def test_a_record_without_answer_string_is_not_counted() -> None:
    assert right(1.0, " ") is None


def test_a_program_is_judged_by_what_it_executes_to() -> None:
    gold = Gold(0.25, "divide(1, 4)", "fraction", "25%")
    assert answer_correct(Submission(program=tokenize("divide(1, 4)")), gold) is True
    assert answer_correct(Submission(program=tokenize("divide(1, 3)")), gold) is False
    assert answer_correct(Submission(program=tokenize("divide(1")), gold) is False
    assert answer_correct(Submission(), gold) is False


@given(st.text(max_size=600), st.floats(allow_nan=True))
def test_no_text_breaks_it(text: str, value: float) -> None:
    assert right(value, text, text) in (True, False, None)


def test_gold_programs_say_what_people_wrote_in_most_of_dev(shared_data: Path) -> None:
    golds = [s.turns[0].gold for s in read_finqa(shared_data / "finqa" / "dev.json")]
    said = [
        answer_correct(Submission(program=tokenize(gold.program)), gold) for gold in golds if gold
    ]
    assert (said.count(None), said.count(True), said.count(False)) == (22, 746, 115)
