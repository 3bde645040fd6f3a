import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.page import Page
from crossfoot.pages.reader import read_page
from crossfoot.pages.scale import FACTORS, find_scale
from crossfoot.pages.table import Table

FIXTURE = Path(__file__).parents[1] / "fixtures" / "page.md"


def page(before="", corner="", after=""):
    return Page("p", (before,), Table(((corner, "2016"), ("debt", "1"))), (after,))


@pytest.mark.parametrize(
    ("caption", "factor"),
    [
        ("( in millions )", 1e6),
        ("in thousands", 1e3),
        ("In Thousands", 1e3),
        ("$ in billions", 1e9),
        ("(in $ millions)", 1e6),
        ("dollars in millions", 1e6),
        ("( in millions of dollars )", 1e6),
        ("( in millions of u.s . dollars )", 1e6),
        ("volumes in thousands of barrels", 1e3),
        ("millions", 1e6),
        ("( millions of dollars )", 1e6),
        ("$ millions", 1e6),
        ("( 000 2019s )", 1e3),
        ("($000's)", 1e3),
        ("(in 000s)", 1e3),
        ("in $000", 1e3),
    ],
)
def test_captions_are_found_in_the_corner(caption, factor):
    scale = find_scale(page(corner=caption))
    assert scale is not None
    assert scale.factor == factor
    assert scale.caption


@pytest.mark.parametrize(
    ("text", "exception"),
    [
        ("( in thousands , except per share data ) : .", "except per share data"),
        ("(in thousands except rates) as follows", "except rates"),
        ("( in thousands )", None),
    ],
)
def test_the_exception_of_a_caption_is_kept(text, exception):
    scale = find_scale(page(before=f"the table is as follows {text}"))
    assert scale is not None
    assert scale.factor == 1e3
    assert scale.exception == exception


def test_our_own_page_is_in_thousands():
    scale = find_scale(read_page(FIXTURE))
    assert scale is not None
    assert (scale.factor, scale.exception) == (1e3, "except rates")


def test_the_table_speaks_before_the_text():
    scale = find_scale(page(before="amounts in thousands", corner="in millions"))
    assert scale is not None
    assert scale.factor == 1e6


def test_of_two_captions_before_the_table_the_nearer_one_counts():
    text = "the first ( in thousands ) : 1 2 3 . the second ( in millions ) :"
    for before in ((text,), ("( in thousands )", "a word", "( in millions )")):
        scale = find_scale(Page("p", before, Table((("", "2016"), ("debt", "1"))), ()))
        assert scale is not None
        assert scale.factor == 1e6


def test_a_caption_in_parentheses_is_found_far_from_the_table():
    before = ("notes ( amounts in millions )", *("a paragraph about leases .",) * 30)
    scale = find_scale(Page("p", before, Table((("", "2016"), ("debt", "1"))), ()))
    assert scale is not None
    assert scale.factor == 1e6


def test_text_after_the_table_is_looked_at_last():
    scale = find_scale(page(after="( in billions )"))
    assert scale is not None
    assert scale.factor == 1e9


@pytest.mark.parametrize(
    "text",
    [
        "it increased by $ 5 million",
        "sold 3 in millions",
        "5.2 in millions of homes",
        "we invested in millions of homes",
        "revenue of $ 3 billion in 2016",
        "a fleet of 2000 ships, 10000 people",
        "",
        "debt of 5",
    ],
)
def test_an_amount_in_running_text_is_no_caption(text):
    assert find_scale(page(before=text, after=text)) is None


@given(st.text(alphabet="($)0'sinmloiu.d ,except") | st.text())
def test_any_text_has_a_known_scale_or_none(text):
    scale = find_scale(page(text, text, text))
    assert scale is None or scale.factor in FACTORS.values()


def test_a_table_without_rows_has_no_scale():
    assert find_scale(Page("p", (), Table(()), ())) is None


def test_two_thirds_of_real_pages_have_a_caption(shared_data):
    for name in ("train", "dev"):
        records = json.loads((shared_data / "convfinqa" / f"{name}.json").read_text("utf-8"))
        found = 0
        for record in records:
            table = Table(tuple(tuple(row) for row in record["table"]))
            before, after = tuple(record["pre_text"]), tuple(record["post_text"])
            found += find_scale(Page("", before, table, after)) is not None
        assert 0.63 < found / len(records) < 0.75
