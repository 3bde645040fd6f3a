from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.grading.answer import UNITS
from crossfoot.tasks.units import infer_unit

_GROWTH = "subtract(5829, 5735), divide(#0, 5735)"


@pytest.mark.parametrize(
    ("question", "program", "answer", "unit"),
    [
        ("was it higher?", "greater(5829, 5735)", "yes", "yes_no"),
        ("was it higher?", "greater(5829, 5735)", "no", "yes_no"),
        ("what was the tax rate in 2016?", "27%", 0.27, "percent"),
        ("what was the growth rate?", _GROWTH, 0.01639, "fraction"),
        ("and as a percentage of the total?", "divide(26, 31)", 0.8387, "fraction"),
        ("what is the difference in return?", "subtract(12%, 9%)", 0.03, "fraction"),
        ("what is the return?", "divide(9, 100), add(#0, const_1)", 1.09, "fraction"),
        ("what is the change in percent?", "divide(9, 3), divide(8, 4), subtract(#0, #1)", 1.0,
         "fraction"),
        ("what was the revenue in 2016?", "5829", 5829.0, "absolute"),
        ("how much did it change?", "subtract(5829, 5735)", 94.0, "absolute"),
        ("what is the average price?", "add(3, 5), divide(#0, const_2)", 4.0, "absolute"),
        ("how many shares were granted?", "1200", 1200.0, "count"),
        ("and how many vested?", "300", 300.0, "count"),
        ("what was the number of employees?", "300", 300.0, "count"),
        ("how many million dollars were paid?", "300", 300.0, "absolute"),
        ("what is the percentage change?", "subtract(5829, 5735)", 94.0, "absolute"),
        ("in 2018, how many shares vested?", "300", 300.0, "count"),
        ("by how many percentage points?", "subtract(3, 2)", 1.0, "absolute"),
        ("what did the corporation pay on average?", "add(3, 5), divide(#0, const_2)", 4.0,
         "absolute"),
        ("what is the roi?", "subtract(148, 100), divide(#0, 100)", 0.48, "fraction"),
    ],
)  # fmt: skip
def test_unit_follows_from_question_program_and_answer(
    question: str, program: str, answer: float | str, unit: str
) -> None:
    assert infer_unit(question, program, answer) == unit


def test_capital_letters_in_the_question_do_not_matter() -> None:
    assert infer_unit("HOW MANY shares?", "12", 12.0) == "count"


@given(st.text(max_size=80), st.text(max_size=80), st.floats() | st.sampled_from(["yes", "no"]))
def test_any_text_has_a_unit(question: str, program: str, answer: float | str) -> None:
    assert infer_unit(question, program, answer) in UNITS


@given(st.integers(0, 10**6))
def test_reference_to_a_step_that_does_not_exist_is_no_quotient(step: int) -> None:
    program = f"add(#{step + 1}, const_1)"
    assert infer_unit("what is the growth rate?", program, 1.0) == "absolute"
