"""Program accuracy: the official verdicts, quirk by quirk (GRADING.md numbers them)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfoot.arithmetic import equivalence, simplification
from crossfoot.arithmetic.equivalence import equal_programs
from crossfoot.arithmetic.program import tokenize

RATIO = "subtract(5829, 5735), divide(#0, 5735)"


def equal(gold: str, predicted: str, convfinqa: bool = False) -> bool:
    return equal_programs(tokenize(gold), tokenize(predicted), convfinqa)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        (RATIO, RATIO),
        ("add(1, 2)", "add(2, 1)"),
        ("multiply(1, 2), divide(#0, 3)", "divide(2, 3), multiply(1, #0)"),
        ("add(1, 2), add(#0, 3)", "add(2, 3), add(1, #0)"),
        ("subtract(1, 2), subtract(#0, 3)", "add(3, 2), subtract(1, #0)"),
        ("divide(1, 2), divide(#0, 3)", "multiply(3, 2), divide(1, #0)"),
        ("greater(3, 2)", "greater(3, 2)"),
        ("exp(2, 3)", "exp(2, 3)"),
    ],
)
def test_order_and_grouping_do_not_matter(gold: str, predicted: str) -> None:
    assert equal(gold, predicted)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        (RATIO, "subtract(5735, 5829), divide(#0, 5735)"),
        (RATIO, "subtract(5829, 5735), divide(#0, 5829)"),
        ("subtract(1, 2)", "add(1, 2)"),
        ("exp(2, 3)", "exp(3, 2)"),
        ("add(1, 2)", "greater(1, 2)"),
    ],
)
def test_other_values_are_not_equal(gold: str, predicted: str) -> None:
    assert not equal(gold, predicted)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        (RATIO, "divide(5829, 5735), divide(5735, 5735), subtract(#0, #1)"),
        ("multiply(1, 2), multiply(1, 3), add(#0, #1)", "add(2, 3), multiply(#0, 1)"),
        ("add(5, 5)", "add(5, 5), multiply(#0, 5), divide(#1, 5)"),
    ],
)
def test_sympy_is_asked_where_only_algebra_can_tell(
    gold: str, predicted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(first: str, second: str) -> bool | None:
        asked.append((first, second))
        return simplification.same_simplified(first, second)

    monkeypatch.setattr(equivalence, "same_simplified", counted)
    assert equal(gold, predicted)
    assert asked


@pytest.mark.parametrize("predicted", [RATIO, "add(1, 2)", "divide(5829, 5735)"])
def test_ordinary_programs_are_decided_without_sympy(
    predicted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(first: str, second: str) -> bool | None:
        raise AssertionError("sympy was asked")

    monkeypatch.setattr(equivalence, "same_simplified", refused)
    assert equal(RATIO, predicted) is (predicted == RATIO)


def test_quirk_3_a_failing_unused_step_does_not_matter() -> None:
    assert equal("add(1, 2)", "subtract(1, 1), divide(1, #0), add(1, 2)")


def test_quirk_10_constants_and_commas_are_opaque() -> None:
    assert not equal("multiply(5, const_100)", "multiply(5, 100)")
    assert not equal("add(1000, 5)", "add(1,000, 5)")


def test_quirk_10_reciprocal_rewrites_pass() -> None:
    assert equal("multiply(7, 5), divide(#0, const_1)", "divide(const_1, 5), divide(7, #0)")
    assert equal("divide(7, 5), divide(8, #0)", "multiply(8, 5), divide(#0, 7)")


def test_quirk_10_subtracting_one_is_not_a_difference_over_the_base() -> None:
    assert not equal("divide(8, 7), subtract(#0, const_1)", "subtract(8, 7), divide(#0, 7)")


def test_quirk_11_equal_literals_share_a_symbol() -> None:
    assert equal("add(5, 5)", "add(5, 5)")
    assert equal("subtract(5, 5), add(#0, 3)", "subtract(3, 3), add(#0, 3)")


def test_quirk_11_unused_steps_are_ignored() -> None:
    assert equal("add(1, 2)", "multiply(1, 2), add(1, 2)")
    assert equal("multiply(7, 9), add(1, 2)", "add(1, 2)")


def test_a_number_that_the_gold_program_lacks_is_never_equal() -> None:
    assert not equal("add(1, 2)", "multiply(3, 3), add(1, 2)")


def test_quirk_12_greater_moves_terms_across() -> None:
    program = "subtract(3, 2), subtract(2, 2), greater(#0, #1)"
    assert equal("greater(3, 2)", program)


def test_quirk_12_greater_with_its_operands_swapped_fails() -> None:
    assert not equal("greater(3, 2)", "greater(2, 3)")


def test_greater_inside_arithmetic_is_never_equal() -> None:
    program = "greater(3, 2), add(#0, 2)"
    assert not equal(program, program)


def test_a_table_step_is_one_symbol_and_known_by_its_place() -> None:
    assert equal("table_max(row, none), divide(#0, 2)", "table_max(row, none), divide(#0, 2)")
    assert not equal("table_max(row, none), divide(#0, 2)", "table_min(row, none), divide(#0, 2)")
    moved = "divide(2, 2), table_max(row, none), divide(#1, 2)"
    assert not equal("table_max(row, none), divide(#0, 2)", moved)


@pytest.mark.parametrize(
    "predicted",
    ["", "add(1, 2", "plus(1, 2)", "add(#0, 1)", "add(1, 2), add(#1, 1)", "add(#x, 1)", "1"],
)
def test_a_program_that_cannot_be_read_is_not_equal(predicted: str) -> None:
    assert not equal("add(1, 2)", predicted)


def test_without_eof_the_last_step_is_lost() -> None:
    assert not equal_programs(tokenize("add(1, 2)"), tokenize("add(1, 2)")[:-1], False)


def test_one_number_must_be_the_same_text_in_convfinqa() -> None:
    assert equal("206588", "206588", convfinqa=True)
    assert not equal("1000", "1,000", convfinqa=True)
    assert not equal("5", "add(5, 5)", convfinqa=True)
    assert not equal("206588", "206588", convfinqa=False)


def test_a_gold_program_that_cannot_be_read_is_equal_to_nothing() -> None:
    for gold in ("", "add(#0, 1)", "add(#1, 1), add(#0, 1)", "add(1"):
        assert not equal(gold, "add(1, 1)")


def test_quirk_14_doubling_programs_come_to_an_end() -> None:
    doubling = ["add(1, 2)"] + [f"multiply(#{step}, #{step})" for step in range(80)]
    other = ["add(2, 1)", *doubling[1:-1], "add(#79, #79)"]
    assert equal(", ".join(doubling), ", ".join(doubling))
    assert not equal(", ".join(doubling), ", ".join(other))


def test_quirk_14_sympy_is_ended_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplification, "TIME_LIMIT", 0.0)
    assert simplification.same_simplified("( a0 + a1 ) ** 2", "( a1 + a0 ) ** 2") is None
    monkeypatch.undo()
    assert simplification.same_simplified("( a0 + a1 ) * a1 / a1", "( a1 + a0 )") is True


def test_what_sympy_cannot_read_has_no_verdict() -> None:
    assert simplification.same_simplified("a0 +", "a0") is None


@st.composite
def token_lists(draw: st.DrawFn) -> list[str]:
    arguments = st.sampled_from(["1", "2", "3", "#0", "#1", "#9", "#x", ""])
    ops = st.sampled_from(["add(", "subtract(", "multiply(", "divide(", "plus("])
    tokens: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        tokens += [draw(ops), draw(arguments), draw(arguments), ")"]
    return [*tokens, "EOF"]


@settings(max_examples=200, deadline=None)
@given(token_lists(), token_lists(), st.booleans())
def test_any_two_programs_get_a_verdict(
    gold: list[str], predicted: list[str], convfinqa: bool
) -> None:
    assert equal_programs(gold, predicted, convfinqa) in (True, False)
