"""The quirks of the official execution, one by one (GRADING.md numbers them)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfoot.arithmetic.official import execute_official, tokenize
from crossfoot.pages.table import Table

TABLE = Table(
    (
        ("year", "2019", "2018"),
        ("revenue", "$ 5,829", "5735"),
        ("loss", "-56 ( 56 )", "1"),
        ("parens", "( 12 )", "1"),
        ("net (loss)", "1", "2"),
        ("twice", "1", "2"),
        ("twice", "3", "4"),
    )
)
BOTH = pytest.mark.parametrize("convfinqa", [False, True])


def run(program: str, convfinqa: bool = False) -> tuple[bool, float | str]:
    return execute_official(tokenize(program), TABLE, convfinqa)


@BOTH
def test_a_plain_program_is_valid(convfinqa: bool) -> None:
    assert run("subtract(5829, 5735), divide(#0, 5735)", convfinqa) == (True, 0.01639)


def test_quirk_1_without_eof_a_one_step_program_is_not_available() -> None:
    assert execute_official(("add(", "1", "2", ")"), TABLE, False) == (True, "n/a")


@BOTH
def test_quirk_1_without_eof_a_two_step_program_returns_its_first_step(convfinqa: bool) -> None:
    tokens = tokenize("add(1, 2), multiply(#0, 10)")[:-1]
    assert execute_official(tokens, TABLE, convfinqa) == (True, 3.0)


@BOTH
def test_quirk_2_an_empty_program_is_valid_and_not_available(convfinqa: bool) -> None:
    assert execute_official(("EOF",), TABLE, convfinqa) == (True, "n/a")
    assert execute_official((), TABLE, convfinqa) == (True, "n/a")


def test_quirk_3_both_programs_execute_and_differ() -> None:
    assert run("subtract(1, 1), divide(1, #0), add(1, 2)") == (False, 0.0)
    assert run("add(1, 2)") == (True, 3.0)


@BOTH
def test_quirk_5_a_table_operation_on_a_reference_reuses_the_row_before(convfinqa: bool) -> None:
    assert run("table_min(twice, none), table_max(#0, none)", convfinqa) == (True, 4.0)


@BOTH
def test_quirk_5_without_a_row_before_the_program_is_invalid(convfinqa: bool) -> None:
    assert run("add(1, 2), table_max(#0, none)", convfinqa) == (False, 3.0)


@BOTH
def test_quirk_6_a_header_with_a_parenthesis_cannot_be_reached(convfinqa: bool) -> None:
    assert run("table_max(net (loss), none)", convfinqa)[0] is False


@BOTH
def test_quirk_6_of_duplicate_headers_the_last_counts(convfinqa: bool) -> None:
    assert run("table_sum(twice, none)", convfinqa) == (True, 7.0)


@BOTH
def test_quirk_6_the_header_row_is_a_legal_key(convfinqa: bool) -> None:
    assert run("table_max(year, none)", convfinqa) == (True, 2019.0)


@BOTH
def test_quirk_6_an_empty_header_cannot_be_reached(convfinqa: bool) -> None:
    table = Table((("", "2019"), ("revenue", "5")))
    tokens = ("table_max(", "", "none", ")", "EOF")
    assert execute_official(tokens, table, convfinqa) == (False, "n/a")


@BOTH
def test_quirk_7_a_cell_in_parentheses_invalidates_its_row(convfinqa: bool) -> None:
    assert run("table_sum(parens, none)", convfinqa) == (False, "n/a")


@BOTH
def test_quirk_7_the_first_form_of_a_cell_printed_twice_counts(convfinqa: bool) -> None:
    assert run("table_sum(loss, none)", convfinqa) == (True, -55.0)


@BOTH
def test_quirk_8_float_admits_exponents_underscores_and_nan(convfinqa: bool) -> None:
    assert run("add(1e3, 1_000)", convfinqa) == (True, 2000.0)
    valid, result = run("add(nan, 1)", convfinqa)
    assert valid
    assert math.isnan(float(result))


@BOTH
def test_quirk_8_a_dollar_sign_is_invalid(convfinqa: bool) -> None:
    assert run("add($5, 1)", convfinqa) == (False, "n/a")


@BOTH
@pytest.mark.parametrize(
    "failing",
    ["divide(#0, 0)", "exp(1e300, #0)", "greater(1, 2), subtract(#1, 1)"],
)
def test_quirk_9_a_failure_keeps_the_result_before_it(failing: str, convfinqa: bool) -> None:
    valid, result = run(f"add(1, 2), {failing}", convfinqa)
    assert not valid
    assert result == ("no" if "greater" in failing else 3.0)


@BOTH
def test_quirk_9_a_complex_root_is_invalid(convfinqa: bool) -> None:
    assert run("exp(-8, 0.5)", convfinqa)[0] is False


@BOTH
def test_a_kept_result_is_rounded_after_a_bad_number_but_not_after_an_error(
    convfinqa: bool,
) -> None:
    assert run("divide(1, 3), add(#0, five)", convfinqa) == (False, 0.33333)
    assert run("divide(1, 3), divide(#0, 0)", convfinqa) == (False, 1 / 3)


def test_a_bad_constant_is_an_error_in_finqa_and_a_bad_number_in_convfinqa() -> None:
    assert run("divide(1, 3), add(#0, const5)") == (False, 1 / 3)
    assert run("divide(1, 3), add(#0, const5)", convfinqa=True) == (False, 0.33333)


def test_one_number_is_a_program_in_convfinqa_only() -> None:
    assert run("206588", convfinqa=True) == (True, 206588.0)
    assert run("12.3456789%", convfinqa=True) == (True, 0.12346)
    assert run("hello", convfinqa=True) == (False, "n/a")
    assert run("206588") == (False, "n/a")


@BOTH
def test_texts_add_up_and_compare_as_in_python(convfinqa: bool) -> None:
    greater = "greater(2, 1), greater(1, 2)"
    assert run(f"{greater}, greater(#0, #1)", convfinqa) == (True, "yes")
    assert run(f"{greater}, add(#0, #1)", convfinqa) == (False, "yesno")


@BOTH
def test_doubling_texts_come_to_an_end(convfinqa: bool) -> None:
    steps = ["greater(2, 1)"] + [f"add(#{step}, #{step})" for step in range(60)]
    assert run(", ".join(steps), convfinqa)[0] is False


@BOTH
def test_an_unknown_operation_is_invalid(convfinqa: bool) -> None:
    assert run("plus(1, 2)", convfinqa) == (False, "n/a")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["add(", "divide(", "table_max(", "1", "#0", "revenue", ")", "EOF"]),
            st.text(max_size=5),
        ),
        max_size=13,
    ),
    st.booleans(),
)
def test_any_tokens_give_a_verdict(tokens: list[str], convfinqa: bool) -> None:
    valid, _ = execute_official(tokens, TABLE, convfinqa)
    assert valid in (True, False)
