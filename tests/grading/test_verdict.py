"""The one grading: error classes and their reasons on a small page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.arithmetic.program import tokenize
from crossfoot.grading.answer import UNITS, Gold, Submission, Verdict, parse_answer
from crossfoot.grading.graders import GRADERS
from crossfoot.grading.operands import operands_named
from crossfoot.grading.verdict import ERROR_CLASSES, grade
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table

TABLE = Table(
    (
        ("in millions", "2016", "2015"),
        ("long-term debt", "4918.1", "3949.1"),
        ("revenue", "$ 10,000", "8,000"),
        ("margin", "27.0%", "25.0%"),
    )
)
PAGE = Page("TEST/2016/page_1.pdf", (), TABLE, ())
DEBT_2015 = Gold(3949.1, "3949.1", "absolute", page=PAGE)
GROWTH = Gold(0.25, "subtract(10000, 8000), divide(#0, 8000)", "fraction", page=PAGE)
GREATER = Gold("yes", "greater(10000, 8000)", "yes_no", page=PAGE)


def submitted(value: object, unit: str, *expressions: str) -> Submission:
    return Submission(parse_answer(value, unit), expressions)


def test_right_answer_has_no_error() -> None:
    assert grade(submitted("3,949.1", "absolute"), DEBT_2015) == Verdict(True)


@pytest.mark.parametrize(
    ("error", "submission", "gold"),
    [
        ("no_answer", Submission(), DEBT_2015),
        ("no_answer", submitted(None, "absolute", "10000 / 8000"), GROWTH),
        ("malformed_call", Submission(malformed=True), DEBT_2015),
        ("malformed_call", Submission(program=tokenize("add(1")), GROWTH),
        ("yes_no", submitted("no", "yes_no"), GREATER),
        ("yes_no", submitted("2000", "absolute", "10000 - 8000"), GREATER),
        ("wrong_sign", submitted("-3949.1", "absolute"), DEBT_2015),
        ("wrong_scale", submitted("3.9491", "absolute"), DEBT_2015),
        ("wrong_scale", submitted("25", "fraction", "(10000 - 8000) / 8000"), GROWTH),
        ("wrong_scale", submitted("-25", "fraction"), GROWTH),
        ("inverted_division", submitted("4", "fraction", "8000 / (10000 - 8000)"), GROWTH),
        ("wrong_cell", submitted("4918.1", "absolute"), DEBT_2015),
        ("wrong_cell", submitted("8000", "absolute"), DEBT_2015),
        ("wrong_cell", submitted("0.2", "fraction", "(10000 - 8000) / 10000"), GROWTH),
        ("wrong_cell", Submission(program=tokenize("divide(10000, 3949.1)")), GROWTH),
        ("wrong_operation", submitted("1.25", "fraction", "10000 / 8000"), GROWTH),
        ("wrong_operation", submitted("18000", "absolute", "10000 + 8000"), GROWTH),
        ("other", submitted("7", "absolute"), DEBT_2015),
        ("other", submitted("0.2505", "fraction", "(10000 - 8000) / 8000"), GROWTH),
    ],
)
def test_wrong_answer_has_its_error_class(error: str, submission: Submission, gold: Gold) -> None:
    verdict = grade(submission, gold)
    assert (verdict.correct, verdict.error) == (False, error)
    assert verdict.reason
    assert "\n" not in verdict.reason


@pytest.mark.parametrize(
    ("submission", "gold", "reason"),
    [
        (
            submitted("4918.1", "absolute"),
            DEBT_2015,
            "used 4918.1 (long-term debt, 2016) where 3949.1 (2015) was needed",
        ),
        (
            submitted("8000", "absolute"),
            DEBT_2015,
            "used 8000 (revenue, 2015) where 3949.1 (long-term debt) was needed",
        ),
        (
            submitted("4", "fraction"),
            GROWTH,
            "divided 8000 by subtract(10000, 8000), not subtract(10000, 8000) by 8000",
        ),
        (
            submitted("25", "fraction"),
            GROWTH,
            "submitted 25 (fraction), 100 times too large: 0.25 was needed",
        ),
        (submitted("no", "yes_no"), GREATER, "answered no where yes was needed"),
    ],
)
def test_reason_is_a_line_for_people(submission: Submission, gold: Gold, reason: str) -> None:
    assert grade(submission, gold).reason == reason


def test_verdict_follows_the_grader_that_is_named() -> None:
    off_by_scale = submitted("25", "fraction")
    assert not grade(off_by_scale, GROWTH).correct
    assert grade(off_by_scale, GROWTH, "scale_aware").correct


def test_one_number_program_is_malformed_for_finqa_and_wrong_for_convfinqa() -> None:
    submission = Submission(program=tokenize("4918.1"))
    assert grade(submission, DEBT_2015).error == "malformed_call"
    assert grade(submission, DEBT_2015, "official_convfinqa").error == "wrong_cell"


def test_operands_are_named_by_the_answer_of_a_looked_up_turn() -> None:
    assert operands_named(submitted("3949.1", "absolute"), DEBT_2015)
    assert not operands_named(submitted("4918.1", "absolute"), DEBT_2015)


def test_operands_are_named_over_several_expressions() -> None:
    assert operands_named(submitted(None, "", "10000 - 8000", "2000 / 8000"), GROWTH)
    assert not operands_named(submitted(None, "", "10000 - 4918.1"), GROWTH)


def test_result_of_the_turn_before_stands_for_its_operands() -> None:
    assert operands_named(submitted("0.25", "fraction", "2000 / 8000"), GROWTH)


def test_operands_of_a_table_operation_are_the_cells_of_its_row() -> None:
    average = Gold(9000.0, "table_average(revenue, none)", "absolute", page=PAGE)
    assert operands_named(submitted("9000", "absolute", "(10000 + 8000) / 2"), average)
    assert not operands_named(submitted("9000", "absolute", "(10000 + 10000) / 2"), average)


def test_no_operands_to_name_where_a_program_has_constants_only() -> None:
    constants = Gold(0.01, "divide(const_1, const_100)", "fraction", page=PAGE)
    assert operands_named(submitted("1", "percent"), constants) is None


SUBMISSIONS = st.builds(
    Submission,
    st.builds(
        parse_answer,
        st.one_of(st.floats(), st.text(alphabet="0123456789.-%yesno", max_size=8)),
        st.sampled_from(UNITS),
    ),
    st.lists(st.text(alphabet="0123456789+-*/(). %>", max_size=20), max_size=3).map(tuple),
    st.booleans(),
    st.none()
    | st.lists(st.sampled_from([*tokenize("divide(1, #0), table_sum(revenue, none)"), "("])).map(
        tuple
    ),
)


@given(SUBMISSIONS, st.sampled_from([DEBT_2015, GROWTH, GREATER]), st.sampled_from(list(GRADERS)))
def test_grading_never_raises_and_gives_an_error_class_exactly_to_what_is_wrong(
    submission: Submission, gold: Gold, grader: str
) -> None:
    verdict = grade(submission, gold, grader)
    assert verdict.correct == (verdict.error is None)
    assert verdict.error is None or verdict.error in ERROR_CLASSES
    assert operands_named(submission, gold) in (True, False)
