"""Graders by name, the official rules with their quirks, program accuracy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.arithmetic.program import tokenize
from crossfoot.errors import RecipeError
from crossfoot.grading.answer import UNITS, Answer, Gold, Submission, parse_answer
from crossfoot.grading.graders import (
    GRADERS,
    is_correct,
    official_script_crashes,
    program_correct,
    unit_correct,
)
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table

TABLE = Table(
    (
        ("", "2016", "2015"),
        ("revenue", "$ 10,000", "8,000"),
        ("loss", "-56 ( 56 )", "-44 ( 44 )"),
        ("tax", "( 12 )", "( 14 )"),
        ("shares ( basic )", "10", "11"),
        ("revenue again", "1", "2"),
        ("revenue again", "3", "4"),
    )
)
PAGE = Page("TEST/2016/page_1.pdf", (), TABLE, ())
LADDER = ("official", "relative_1e-3", "relative_1e-2", "scale_aware", "sign_blind")


def gold(answer: float | str, program: str = "add(1, 2)", text: str = "") -> Gold:
    unit = "yes_no" if isinstance(answer, str) else "fraction"
    return Gold(answer, program, unit, text, PAGE)


def tool(value: object, unit: str = "fraction", *expressions: str) -> Submission:
    return Submission(parse_answer(value, unit), expressions)


def program(text: str) -> Submission:
    return Submission(program=tokenize(text))


def tokens(*parts: str) -> Submission:
    return Submission(program=parts)


def test_percent_is_divided_by_one_hundred() -> None:
    assert is_correct(tool("14.24", "percent"), gold(0.1424))
    assert not is_correct(tool("14.24", "fraction"), gold(0.1424))


def test_official_rounds_to_five_decimals_and_no_further() -> None:
    assert is_correct(tool("0.333334"), gold(0.33333))
    assert not is_correct(tool("0.33334"), gold(0.33333))


def test_yes_must_be_yes() -> None:
    assert is_correct(tool("yes", "yes_no"), gold("yes"))
    assert not is_correct(tool("no", "yes_no"), gold("yes"))
    assert not is_correct(tool("1", "count"), gold("yes"))


@pytest.mark.parametrize(
    ("value", "first_that_accepts"),
    [
        ("0.25", "official"),
        ("0.2501", "relative_1e-3"),
        ("0.2520", "relative_1e-2"),
        ("25", "scale_aware"),
        ("0.0000002505", "scale_aware"),
        ("-25", "sign_blind"),
    ],
)
def test_each_grader_of_the_ladder_is_kinder_than_the_one_before(
    value: str, first_that_accepts: str
) -> None:
    accepted = [name for name in LADDER if is_correct(tool(value), gold(0.25), name)]
    assert accepted == list(LADDER[LADDER.index(first_that_accepts) :])


def test_exact_string_compares_what_was_written() -> None:
    right = gold(0.1424, text="14.24%")
    assert is_correct(tool("14.24%", "percent"), right, "exact_string")
    assert is_correct(tool("0.1424"), right, "exact_string")
    assert not is_correct(tool("14.24", "percent"), right, "exact_string")


def test_nothing_submitted_is_wrong_by_every_grader() -> None:
    assert not any(is_correct(Submission(), gold(0.0), name) for name in GRADERS)


def test_unknown_grader_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean official"):
        is_correct(tool("1"), gold(1.0), "oficial")


def test_unit_is_a_metric_of_its_own() -> None:
    assert unit_correct(tool("7", "fraction"), gold(0.25))
    assert not unit_correct(tool("25", "percent"), gold(0.25))
    assert not unit_correct(program("add(1, 2)"), gold(0.25))


# The quirks of the official scripts, by their number in GRADING.md.


def test_quirk_1_without_eof_a_one_step_program_is_invalid() -> None:
    assert not is_correct(tokens("add(", "1", "2", ")"), gold(3.0))


def test_quirk_1_without_eof_a_two_step_program_gives_step_one() -> None:
    two_steps = tokens("add(", "1", "2", ")", "add(", "#0", "2", ")")
    assert is_correct(two_steps, gold(3.0))


@pytest.mark.parametrize("empty", [(), ("EOF",)])
def test_quirk_2_an_empty_program_is_valid_but_right_for_nothing(empty: tuple[str, ...]) -> None:
    assert not any(is_correct(tokens(*empty), gold(3.0), name) for name in GRADERS)


def test_quirk_3_equal_with_another_result_is_reported_and_counts_as_wrong() -> None:
    crashing = tokenize("subtract(1, 1), divide(1, #0), add(1, 2)")
    right = gold(3.0, "add(1, 2)")
    assert official_script_crashes(crashing, right)
    assert not program_correct(Submission(program=crashing), right)
    assert not official_script_crashes(tokenize("add(2, 1)"), right)


def test_quirk_3_convfinqa_asks_for_a_valid_execution_first() -> None:
    crashing = tokenize("subtract(1, 1), divide(1, #0), add(1, 2)")
    assert not official_script_crashes(crashing, gold(3.0, "add(1, 2)"), convfinqa=True)


def test_quirk_5_table_operation_on_a_step_reuses_the_row_before() -> None:
    assert is_correct(program("table_sum(revenue, none), table_max(#0, none)"), gold(10000.0))


def test_quirk_6_header_with_a_parenthesis_cannot_be_reached() -> None:
    assert not is_correct(program("table_max(shares ( basic ), none)"), gold(11.0))


def test_quirk_6_of_two_rows_with_one_header_the_last_counts() -> None:
    assert is_correct(program("table_sum(revenue again, none)"), gold(7.0))


def test_quirk_7_value_in_parentheses_invalidates_its_row() -> None:
    assert not is_correct(program("table_max(tax, none)"), gold(-12.0))


def test_quirk_7_value_printed_twice_is_the_first() -> None:
    assert is_correct(program("table_min(loss, none)"), gold(-56.0))


@pytest.mark.parametrize(("number", "value"), [("1e3", 1001.0), ("1_000", 1001.0)])
def test_quirk_8_numbers_are_what_float_reads(number: str, value: float) -> None:
    assert is_correct(tokens("add(", number, "1", ")", "EOF"), gold(value))


def test_quirk_8_nan_is_right_for_nothing() -> None:
    assert not any(
        is_correct(tokens("add(", "nan", "1", ")", "EOF"), gold(1.0), g) for g in GRADERS
    )


def test_quirk_8_dollar_sign_is_no_number() -> None:
    assert not is_correct(tokens("add(", "$5", "1", ")", "EOF"), gold(6.0))


def test_quirk_9_division_by_zero_is_invalid_though_the_step_before_is_right() -> None:
    assert not is_correct(program("add(1, 2), divide(#0, 0)"), gold(3.0))


def test_quirk_10_constants_are_opaque_to_program_accuracy() -> None:
    right = gold(0.05, "divide(5, const_100)")
    assert is_correct(program("divide(5, 100)"), right)
    assert not program_correct(program("divide(5, 100)"), right)


def test_quirk_13_execution_credits_wrong_reasoning() -> None:
    lucky = program("multiply(2, 2)")
    assert is_correct(lucky, gold(4.0, "add(2, 2)"))
    assert not program_correct(lucky, gold(4.0, "add(2, 2)"))


def test_one_number_is_a_program_in_convfinqa_only() -> None:
    assert is_correct(program("60.94"), gold(60.94), "official_convfinqa")
    assert not is_correct(program("60.94"), gold(60.94), "official")


def test_one_number_must_be_the_same_text_for_program_accuracy() -> None:
    right = gold(5829.0, "5829")
    assert program_correct(program("5829"), right, convfinqa=True)
    assert not program_correct(program("5829.0"), right, convfinqa=True)


# Program accuracy of a tool transcript.


def test_last_expression_is_unfolded_to_a_program() -> None:
    right = gold(0.01639, "subtract(5829, 5735), divide(#0, 5735)")
    assert program_correct(tool("0.01639", "fraction", "(5829 - 5735) / 5735"), right)
    assert not program_correct(tool("0.01639", "fraction", "5829 / 5735 - 1"), right)


def test_expression_may_write_a_constant_of_the_gold_program_as_a_number() -> None:
    right = gold(0.05, "divide(5, const_100)")
    assert program_correct(tool("0.05", "fraction", "5 / 100"), right)


def test_expression_may_write_a_table_operation_out() -> None:
    right = gold(9000.0, "table_average(revenue, none)")
    assert program_correct(tool("9000", "absolute", "(10000 + 8000) / 2"), right)


def test_largest_cell_of_a_row_is_the_program_of_table_max() -> None:
    right = gold(10000.0, "table_max(revenue, none)")
    assert program_correct(tool("10000", "absolute", "10000"), right)
    assert program_correct(tool("10000", "absolute"), right)
    assert not program_correct(tool("10000", "absolute", "8000 + 2000"), right)


def test_looked_up_turn_is_right_as_a_program_where_nothing_was_calculated() -> None:
    right = gold(0.27, "27%")
    assert program_correct(tool("27", "percent"), right, convfinqa=True)
    assert program_correct(tool("0.27", "fraction"), right, convfinqa=True)
    assert not program_correct(tool("27", "percent", "20 + 7"), right, convfinqa=True)


def test_no_expression_is_no_program() -> None:
    assert not program_correct(tool("3"), gold(3.0, "add(1, 2)"))


ANSWERS = st.builds(
    Answer,
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([unit for unit in UNITS if unit != "yes_no"]),
    st.text(max_size=5),
)
NUMBERS = st.floats(min_value=-1e9, max_value=1e9).map(lambda value: round(value, 5))


@given(ANSWERS, NUMBERS)
def test_a_kinder_grader_never_refuses_what_a_stricter_one_accepts(
    answer: Answer, right: float
) -> None:
    accepted = [is_correct(Submission(answer), gold(right), name) for name in LADDER]
    assert accepted == sorted(accepted)


@given(NUMBERS)
def test_the_gold_answer_itself_is_right_by_every_numeric_grader(right: float) -> None:
    assert all(
        is_correct(Submission(Answer(right, "fraction")), gold(right), one) for one in LADDER
    )


@given(st.lists(st.sampled_from([*tokenize("divide(1, 2), exp(#0, -1)"), "x", "", "(", "#7"])))
def test_any_tokens_get_a_verdict_from_every_grader(parts: list[str]) -> None:
    submission = Submission(program=tuple(parts))
    assert all(is_correct(submission, gold(3.0), name) in (True, False) for name in GRADERS)
    assert program_correct(submission, gold(3.0)) in (True, False)
