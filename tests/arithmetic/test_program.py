"""Programs: reading them and executing them cleanly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfoot.arithmetic.program import (
    Program,
    Step,
    exact_value,
    execute,
    number,
    parse,
    row_cells,
    tokenize,
)
from crossfoot.errors import ProgramError
from crossfoot.pages.table import Table

TABLE = Table(
    (
        ("year", "2019", "2018"),
        ("revenue", "$ 5,829", "5735"),
        ("loss", "-26 ( 26 )", "$ -4"),
        ("margin", "27.0% ( 27.0 % )", "25%"),
        ("broken", "12", "n/a"),
        ("revenue again", "1", "2"),
        ("revenue again", "3", "4"),
        ("empty",),
    )
)


def test_tokens_end_with_eof_and_operations_keep_their_parenthesis() -> None:
    tokens = ("subtract(", "5829", "5735", ")", "divide(", "#0", "5735", ")", "EOF")
    assert tokenize("subtract(5829, 5735), divide(#0, 5735)") == tokens


def test_a_program_is_read_into_steps_and_written_back() -> None:
    text = "subtract(5829, 5735), divide(#0, 5735)"
    program = parse(text)
    assert program == Program((Step("subtract", "5829", "5735"), Step("divide", "#0", "5735")))
    assert str(program) == text


def test_a_program_of_one_number_is_legal() -> None:
    assert parse("206588") == Program((), "206588")
    assert execute("206588", TABLE) == 206588.0
    assert str(parse("5.5%")) == "5.5%"


@pytest.mark.parametrize(
    ("program", "result"),
    [
        ("subtract(5829, 5735), divide(#0, 5735)", 0.01639),
        ("add(1, 2)", 3.0),
        ("multiply(2, const_1000)", 2000.0),
        ("add(1, const_m1)", 0.0),
        ("divide(27%, 3)", 0.09),
        ("exp(2, 3)", 8.0),
        ("greater(3, 2)", "yes"),
        ("greater(2, 2)", "no"),
        ("table_max(revenue, none)", 5829.0),
        ("table_min(loss, none)", -26.0),
        ("table_sum(loss, none)", -30.0),
        ("table_average(margin, none)", 0.26),
        ("table_sum(revenue again, none)", 7.0),
        ("table_max(year, none)", 2019.0),
        ("table_max(revenue, none), divide(#0, 1000)", 5.829),
    ],
)
def test_programs_execute_to_five_decimals(program: str, result: float | str) -> None:
    assert execute(program, TABLE) == result
    assert execute(parse(program), TABLE) == result


def test_the_exact_value_is_not_rounded() -> None:
    assert exact_value("divide(1, 3)", TABLE) == 1 / 3


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("", "not a program"),
        ("hello", "neither a number"),
        ("add(1, 2", "not a program"),
        ("add(1, 2), 3", "not a program"),
        ("plus(1, 2)", "unknown operation"),
        ("add(1, $5)", "not a number"),
        ("add(#0, 1)", "not an earlier step"),
        ("add(1, 2), add(#1, 1)", "not an earlier step"),
        ("add(1, 2), table_max(#0, none)", "row header"),
        ("divide(1, 0)", "division by zero"),
        ("exp(-8, 0.5)", "no finite real value"),
        ("exp(1e300, 2)", "no finite real value"),
        ("add(nan, 1)", "no finite real value"),
        ("greater(1, 2), add(#0, 1)", "add of no"),
        ("table_max(income, none)", "no row 'income'"),
        ("table_max(broken, none)", "not a number"),
        ("table_max(empty, none)", "no cells"),
        ("add(1, 2), " * 101 + "add(1, 2)", "more than 100 steps"),
        ("1" * 10_001, "longer than"),
    ],
)
def test_what_cannot_be_executed_is_refused(program: str, message: str) -> None:
    with pytest.raises(ProgramError) as error:
        execute(program, TABLE)
    assert message in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.5", 1234.5),
        ("-26", -26.0),
        ("27.0%", 0.27),
        ("27 %", 0.27),
        ("const_100", 100.0),
        ("const_m1", -1.0),
        ("const_0.5", 0.5),
        ("$5", None),
        ("n/a", None),
        ("const_x", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_the_official_scripts_read_them(text: str, value: float | None) -> None:
    assert number(text) == value


def test_cells_of_a_row_keep_their_text() -> None:
    assert row_cells(TABLE, "loss") == (("-26", -26.0), ("-4", -4.0))
    assert row_cells(TABLE, "margin") == (("27.0%", 0.27), ("25%", 0.25))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="addivegr(), #012.%-t_max", max_size=60)))
def test_any_text_executes_or_gives_a_program_error(text: str) -> None:
    try:
        result = execute(text, TABLE)
    except ProgramError:
        return
    assert result in ("yes", "no") or isinstance(result, float)
