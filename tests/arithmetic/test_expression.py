"""Folding programs to expressions and unfolding them again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfoot.arithmetic.calculator import evaluate
from crossfoot.arithmetic.expression import fold, unfold
from crossfoot.arithmetic.program import exact_value
from crossfoot.errors import CalculatorError, ProgramError
from crossfoot.pages.table import Table

TABLE = Table(
    (
        ("", "2019", "2018"),
        ("revenue", "$ 5,829", "5735"),
        ("loss", "-26 ( 26 )", "-4"),
        ("margin", "27.0% ( 27.0 % )", "25%"),
        ("odd", "1_000", "2"),
    )
)


@pytest.mark.parametrize(
    ("program", "expression"),
    [
        ("subtract(5829, 5735), divide(#0, 5735)", "(5829 - 5735) / 5735"),
        ("add(1, 2), add(#0, 3)", "1 + 2 + 3"),
        ("add(1, 2), add(3, #0)", "3 + (1 + 2)"),
        ("multiply(2, 3), subtract(10, #0)", "10 - 2 * 3"),
        ("subtract(3, 2), subtract(10, #0)", "10 - (3 - 2)"),
        ("divide(6, 3), divide(12, #0)", "12 / (6 / 3)"),
        ("divide(6, 3), multiply(#0, 2)", "6 / 3 * 2"),
        ("subtract(5, -26)", "5 - -26"),
        ("multiply(-26, 3)", "-26 * 3"),
        ("exp(-26, 2)", "(-26) ** 2"),
        ("exp(2, -1)", "2 ** -1"),
        ("exp(2, 3), exp(#0, 2)", "(2 ** 3) ** 2"),
        ("exp(3, 2), exp(2, #0)", "2 ** 3 ** 2"),
        ("add(1, 2), exp(#0, 2)", "(1 + 2) ** 2"),
        ("divide(54, 27%)", "54 / 27%"),
        ("exp(-27%, 2)", "(-27%) ** 2"),
        ("multiply(0.5, const_100)", "0.5 * 100"),
        ("multiply(5, const_m1)", "5 * -1"),
        ("add(1,234, 5)", "1234 + 5"),
        ("greater(3, 2)", "3 > 2"),
        ("subtract(3, 1), greater(#0, 2)", "3 - 1 > 2"),
        ("add(9, 9), subtract(3, 1)", "3 - 1"),
        ("206588", "206588"),
        ("-5.5%", "-5.5%"),
        ("table_sum(revenue, none)", "5829 + 5735"),
        ("table_average(loss, none)", "(-26 + -4) / 2"),
        ("table_max(margin, none)", "27.0%"),
        ("table_min(loss, none), divide(#0, 2)", "-26 / 2"),
    ],
)
def test_a_program_folds_to_one_expression_of_the_same_value(program: str, expression: str) -> None:
    assert fold(program, TABLE) == expression
    value = exact_value(program, TABLE)
    folded = evaluate(expression)
    assert (("yes" if folded else "no") if isinstance(folded, bool) else folded) == value


@pytest.mark.parametrize(
    ("expression", "program"),
    [
        ("(5829 - 5735) / 5735", "subtract(5829, 5735), divide(#0, 5735)"),
        ("10 - 2 * 3", "multiply(2, 3), subtract(10, #0)"),
        ("(1 + 2) / (1 + 2)", "add(1, 2), divide(#0, #0)"),
        ("54 / 27%", "divide(54, 27%)"),
        ("5 - -26", "subtract(5, -26)"),
        ("(-26) ** 2", "exp(-26, 2)"),
        ("-26 ** 2", "exp(26, 2), multiply(#0, const_m1)"),
        ("-(3 - 1)", "subtract(3, 1), multiply(#0, const_m1)"),
        ("+(3 - 1)", "subtract(3, 1)"),
        ("--5", "5"),
        ("3 > 2", "greater(3, 2)"),
        ("2 < 3", "greater(3, 2)"),
        ("1 + 1 < 3 * 2", "multiply(3, 2), add(1, 1), greater(#0, #1)"),
        ("206588", "206588"),
        ("-5", "-5"),
    ],
)
def test_an_expression_unfolds_to_a_program(expression: str, program: str) -> None:
    assert unfold(expression) == program


@pytest.mark.parametrize("operator", [">=", "<=", "==", "!="])
def test_comparisons_without_a_program_are_refused(operator: str) -> None:
    with pytest.raises(ProgramError, match=f"no program has {operator}"):
        unfold(f"1 {operator} 2")


@pytest.mark.parametrize("expression", ["", "hello", "1 +", "(" * 10_000])
def test_what_is_no_expression_does_not_unfold(expression: str) -> None:
    with pytest.raises(ProgramError):
        unfold(expression)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("table_sum(revenue, none)", "needs the table"),
        ("greater(2, 1), add(#0, 1)", "cannot be used in a later step"),
        ("add(nan, 1)", "cannot be written"),
        (", ".join(["add(1, 2)"] + [f"add(#{i}, #{i})" for i in range(60)]), "longer than"),
    ],
)
def test_what_has_no_expression_is_refused(program: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        fold(program)


def test_a_cell_that_no_expression_can_hold_is_refused() -> None:
    with pytest.raises(ProgramError, match="cannot be written"):
        fold("table_sum(odd, none)", TABLE)


def test_a_step_that_is_not_used_need_not_fold() -> None:
    assert fold("table_sum(no such row, none), add(1, 2)") == "1 + 2"


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Programs whose every step but the first uses the step before."""
    numbers = st.one_of(
        st.integers(-9999, 9999).map(str),
        st.integers(1, 999).map(lambda value: f"{value / 10}%"),
        st.sampled_from([".5", "-.25", "7.", "100"]),
    )
    steps: list[str] = []
    for index in range(draw(st.integers(1, 6))):
        op = draw(st.sampled_from(["add", "subtract", "multiply", "divide"]))
        arguments = [draw(numbers), draw(numbers)]
        if index:
            arguments[draw(st.integers(0, 1))] = f"#{index - 1}"
        steps.append(f"{op}({arguments[0]}, {arguments[1]})")
    if draw(st.booleans()):
        steps.append(f"greater(#{len(steps) - 1}, {draw(numbers)})")
    return ", ".join(steps)


@settings(max_examples=400, deadline=None)
@given(programs())
def test_unfolding_what_was_folded_gives_the_program_back(program: str) -> None:
    assert unfold(fold(program)) == program


@settings(max_examples=400, deadline=None)
@given(programs())
def test_a_folded_program_has_the_value_of_the_program(program: str) -> None:
    try:
        value = exact_value(program, TABLE)
        folded = evaluate(fold(program))
    except (ProgramError, CalculatorError):
        return
    if isinstance(folded, bool):
        assert value == ("yes" if folded else "no")
    else:
        assert not isinstance(value, str)
        assert math.isclose(folded, value, rel_tol=1e-12)
