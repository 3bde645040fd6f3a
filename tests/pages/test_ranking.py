"""The fitted ranking of a page's units."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.page import Page
from crossfoot.pages.ranking import FEATURES, features, likeliest, units_of
from crossfoot.pages.table import Table
from crossfoot.pages.units import filled_units

PAGE = Page(
    "OURS/2016/page_1.pdf",
    ("interest rates are discussed below .", "interest paid was $ 121.1 million in 2016 ."),
    Table(
        (
            ("( in millions )", "2016", "2015"),
            ("revenue", "$ 5829", "$ 5735"),
            ("amortization of intangible assets", "210", "305"),
            ("operating costs", "4210", "4305"),
        )
    ),
    (),
)


def best(*questions):
    return likeliest(PAGE, questions)[0][0]


def feature(name, *questions):
    units = units_of(PAGE)
    values = features(units, questions)[:, FEATURES.index(name)]
    return dict(zip((unit.name for unit in units), values, strict=True))


@pytest.mark.parametrize(
    ("questions", "unit"),
    [
        (["what was revenue in 2016?"], "table_1"),
        (["how much interest was paid in 2016?"], "text_1"),
        (["what were the operating costs?"], "table_3"),
        (["what was amortized?"], "table_2"),
        (["what were the operating costs in 2016?", "and in 2015?"], "table_3"),
        (["what were the operating costs in 2016?", "and what was revenue?"], "table_1"),
    ],
)
def test_the_unit_that_is_asked_for_is_first(questions, unit):
    assert best(*questions) == unit


def test_shares_fall_and_sum_to_one():
    shares = [share for _, share in likeliest(PAGE, ["what was revenue in 2016?"])]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] > 0.5


def test_features_of_units():
    names = [unit.name for unit in units_of(PAGE)]
    values = features(units_of(PAGE), ["what was revenue?"])
    assert values.shape == (len(names), len(FEATURES))
    text, row = names.index("text_1"), names.index("table_2")

    def of(unit, name):
        return values[unit, FEATURES.index(name)]

    assert (of(text, "text"), of(row, "text")) == (1.0, 0.0)
    assert of(row, "label_words") == pytest.approx(np.log(4))  # "of" says nothing
    assert of(text, "amounts") == pytest.approx(np.log(2))  # 2016 is a year
    assert of(names.index("text_0"), "no_number") == 1.0
    assert (of(text, "dollars"), of(row, "dollars")) == (1.0, 0.0)


def test_features_of_questions():
    assert feature("label", "what was revenue in 2016?")["table_1"] == 1.0
    assert feature("asked", "total interest paid?")["text_1"] < 1.0
    assert feature("vague_history", "what was revenue?", "and in 2015?")["table_1"] == 1.0
    assert feature("vague_history", "what was revenue?", "and interest?")["table_1"] == 0.0
    assert feature("asked_before", "what was revenue?", "and interest?")["table_1"] == 1.0
    ranks = feature("history_rank", "operating costs?")
    assert sorted(ranks.values()) == pytest.approx([1 / 5, 1 / 4, 1 / 3, 1 / 2, 1])
    assert ranks["table_3"] == 1.0


def test_every_feature_has_a_weight():
    weights = json.loads(files("crossfoot.pages").joinpath("ranking.json").read_text("utf-8"))
    assert tuple(weights) == FEATURES


@given(st.lists(st.text(max_size=20), max_size=5), st.lists(st.text(max_size=20), min_size=1))
def test_any_page_and_question_has_an_order(texts, questions):
    page = Page("p", tuple(texts), Table((("", "2016"), *((text, "1") for text in texts))), ())
    found = likeliest(page, questions)
    assert sorted(name for name, _ in found) == sorted(filled_units(page))
    assert all(np.isfinite(share) for _, share in found)


def test_a_page_without_words_has_none():
    assert likeliest(Page("p", (), Table(()), ()), ["what?"]) == []
