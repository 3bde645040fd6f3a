"""The calculator: its answers, its refusals, and that nothing else ever leaves it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfoot.arithmetic.calculator import MAX_MAGNITUDE, calculate, evaluate, literals
from crossfoot.errors import CalculatorError


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(5829 - 5735) / 5735", "0.01639"),
        ("218.6", "218.6"),
        ("300 + 51", "351.0"),
        ("2 ** 10", "1024.0"),
        ("-26 ** 2", "-676.0"),
        ("(-26) ** 2", "676.0"),
        ("2 ** -1", "0.5"),
        ("5 - -3", "8.0"),
        ("+5", "5.0"),
        (".5 + 5.", "5.5"),
        ("007", "7.0"),
        ("1e3", "1000.0"),
        ("123456789012.1", "123456789012.1"),
    ],
)
def test_a_number_is_rounded_to_five_decimals(expression: str, result: str) -> None:
    assert calculate(expression) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("3 > 2", "yes"),
        ("2 > 3", "no"),
        ("2 < 3", "yes"),
        ("2 >= 2", "yes"),
        ("3 <= 2", "no"),
        ("1 / 2 == 0.5", "yes"),
        ("1 + 1 != 2", "no"),
    ],
)
def test_a_comparison_is_yes_or_no(expression: str, result: str) -> None:
    assert calculate(expression) == result
    assert evaluate(expression) is (result == "yes")


def test_small_numbers_are_not_written_with_an_exponent() -> None:
    assert calculate("1 / 100000") == "0.00001"
    assert calculate("9 / 100000") == "0.00009"


def test_large_numbers_are_not_written_with_an_exponent() -> None:
    assert calculate("10 ** 15") == "1000000000000000.0"


def test_negative_zero_is_zero() -> None:
    assert calculate("-0.0") == "0.0"
    assert calculate("0 - 0.000001") == "0.0"


def test_percent_sign_divides_by_one_hundred() -> None:
    assert calculate("27%") == "0.27"
    assert calculate("200 * 27 %") == "54.0"
    assert calculate("27% - 5%") == "0.22"


def test_a_percent_has_the_value_that_the_official_scripts_give_it() -> None:
    assert evaluate("36.6%") == float("36.6") / 100.0


def test_literals_are_as_written_and_in_order() -> None:
    assert literals("(5829 - -26) / 27%") == ("5829", "-26", "27%")
    assert literals(".50 * (007 + 5.)") == (".50", "007", "5.")
    assert literals("3 > 1e2") == ("3", "1e2")


def test_a_minus_before_a_power_is_no_part_of_the_literal() -> None:
    assert literals("-26 ** 2") == ("26", "2")
    assert literals("(-26) ** 2") == ("-26", "2")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("(-8) ** 0.5", "root of a negative number"),
        ("9**9**9", "exponent too large"),
        ("9.9**999", "number too large"),
        ("10**9 * 10**9", "number too large"),
        ("1e999", "number too large"),
        ("9" * 400, "number too large"),
        ("", "empty expression"),
        ("   ", "empty expression"),
        ("1 +", "not a valid expression"),
        ("5 5", "not a valid expression"),
        ("()", "not a valid expression"),
        ("1.2.3", "not a valid expression"),
        ("(1", "parentheses do not match"),
        ("1)(2", "parentheses do not match"),
        ("2(3)", "write *"),
        ("1,000", "commas"),
        ("$5", "$ is not allowed"),
        ("2 ^ 3", "write **"),
        ("5 // 2", "// is not allowed"),
        ("x = 5", "no names"),
        ("1 = 1", "== compares"),
        ("5 % 3", "modulo"),
        ("5 % (3)", "modulo"),
        ("(5)%", "only after a number"),
        ("5%%", "only after a number"),
        ("1 < 2 < 3", "only one comparison"),
        ("(1 < 2) + 1", "must be the whole expression"),
        ("nan", "no names"),
        ("inf", "no names"),
        ("1j", "no names"),
        ("0x10", "no names"),
        ("1_000", "no names"),
        ("abs(5)", "no names"),
        ("().__class__", "not allowed"),
        ("__import__('os')", "no names"),
        ("1 if 1 else 2", "no names"),
        ("[1]", "not allowed"),
        ("'a'", "not allowed"),
        ("1;2", "not allowed"),
        ("1\x00", "not allowed"),
        ("٣ + ٤", "not allowed"),
        ("−5", "not allowed"),
    ],
)
def test_what_is_not_arithmetic_is_refused_with_a_short_message(
    expression: str, message: str
) -> None:
    for ask in (calculate, evaluate):
        with pytest.raises(CalculatorError) as error:
            ask(expression)
        assert message in str(error.value)
        assert len(str(error.value)) < 100


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 1_000_000,
        "(" * 500_000 + "1" + ")" * 500_000,
        "-" * 1_000_000 + "1",
        "1" * 1_000_000,
        "(" * 400 + "1" + ")" * 400,
        "-" * 900 + "1",
        "2" + "**2" * 300,
        "9**9**9**9**9",
        "(((9**99)**99)**99)",
    ],
)
def test_hostile_expressions_are_refused(expression: str) -> None:
    with pytest.raises(CalculatorError):
        calculate(expression)


def test_forty_nested_parentheses_are_accepted() -> None:
    assert calculate("(" * 40 + "7" + ")" * 40) == "7.0"


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789.+-*/()<>=!%e ", max_size=60)))
def test_any_text_gives_a_short_result_or_a_calculator_error(text: str) -> None:
    try:
        result = calculate(text)
    except CalculatorError as error:
        message = error.message
    else:
        _check_result(text, result)
        return
    assert 0 < len(message) < 100


def _check_result(text: str, result: str) -> None:
    assert result in ("yes", "no") or abs(float(result)) <= MAX_MAGNITUDE
    assert "e" not in result.replace("yes", "")
    assert result != "-0.0"
    assert len(literals(text)) > 0


def _joined(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(children, st.sampled_from("+-*/"), children)
    return pair.map(lambda three: f"({three[0]} {three[1]} {three[2]})")


NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0.001, 10**6).map(lambda value: f"{value:.3f}"),
    st.integers(1, 10**4).map(lambda value: f"-{value}"),
)
EXPRESSIONS = st.recursive(NUMBERS, _joined, max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_the_value_is_that_of_python_floats(expression: str) -> None:
    # Written by the strategy above: digits, + - * / and parentheses only.
    written = _floats(expression)
    try:
        expected = eval(written)
    except (ZeroDivisionError, OverflowError):
        expected = math.inf
    if math.isinf(expected):
        with pytest.raises(CalculatorError, match=r"division by zero|number too large"):
            evaluate(expression)
        return
    try:
        value = evaluate(expression)
    except CalculatorError as error:
        refusal = error.message
    else:
        assert value == expected
        return
    assert refusal == "number too large"


def _floats(expression: str) -> str:
    words = expression.replace("(", "( ").replace(")", " )").split()
    numbers = [word if word in "()+-*/" else repr(float(word)) for word in words]
    return " ".join(numbers)
