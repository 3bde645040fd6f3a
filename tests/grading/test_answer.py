"""Submitted values as models write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.grading.answer import UNITS, Answer, parse_answer


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("218.6", 218.6),
        (218.6, 218.6),
        (5, 5.0),
        ("1,234", 1234.0),
        ("$ 5", 5.0),
        ("-$5", -5.0),
        ("$ -5", -5.0),
        ("(26)", -26.0),
        ("$ ( 1,234.5 )", -1234.5),
        ("-26 (26)", -26.0),
        (" .5 ", 0.5),
        ("−3", -3.0),
        ("1e-05", 1e-05),
    ],
)
def test_number_is_read_as_written(written: object, value: float) -> None:
    answer = parse_answer(written, "absolute")
    assert answer is not None
    assert answer.value == value


def test_percent_sign_is_kept_for_the_unit_percent() -> None:
    assert parse_answer("27%", "percent") == Answer(27.0, "percent", "27%")


def test_percent_sign_divides_by_one_hundred_for_any_other_unit() -> None:
    assert parse_answer("27%", "fraction") == Answer(0.27, "fraction", "27%")


@pytest.mark.parametrize("written", ["yes", "Yes", " YES "])
def test_yes_has_the_unit_yes_no_whatever_was_claimed(written: str) -> None:
    assert parse_answer(written, "absolute") == Answer("yes", "yes_no", written.strip())


def test_unit_is_read_in_any_case() -> None:
    assert parse_answer("3", " Percent ") == Answer(3.0, "percent", "3")


@pytest.mark.parametrize("unit", [None, "", "dollars", 3, ["percent"], "x" * 10_000])
def test_unknown_unit_gives_no_answer(unit: object) -> None:
    assert parse_answer("3", unit) is None


def test_number_with_the_unit_yes_no_gives_no_answer() -> None:
    assert parse_answer("3", "yes_no") is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        {},
        [],
        "",
        "nan",
        "inf",
        math.nan,
        math.inf,
        "1e400",
        10**400,
        "1" * 81,
        "5 apples",
    ],
)
def test_what_is_no_finite_number_gives_no_answer(value: object) -> None:
    assert parse_answer(value, "absolute") is None


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(alphabet="0123456789.,%$()- eyesno"),
    st.dictionaries(st.text(), st.integers()),
)


@given(ANYTHING, st.one_of(ANYTHING, st.sampled_from(UNITS)))
def test_parsing_never_raises_and_gives_a_finite_number_or_yes_no(
    value: object, unit: object
) -> None:
    answer = parse_answer(value, unit)
    if answer is not None:
        assert answer.unit in UNITS
        if answer.unit == "yes_no":
            assert answer.value in ("yes", "no")
        else:
            assert isinstance(answer.value, float)
            assert math.isfinite(answer.value)


@given(st.floats(min_value=-1e9, max_value=1e9))
def test_a_number_written_by_python_reads_back(value: float) -> None:
    answer = parse_answer(repr(value), "absolute")
    assert answer is not None
    assert answer.value == value
