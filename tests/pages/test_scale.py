import pytest

from crossfoot.pages.page import Page
from crossfoot.pages.scale import find_scale
from crossfoot.pages.table import Table


def page(before="", corner="", after=""):
    return Page("p", (before,), Table(((corner, "2016"), ("debt", "1"))), (after,))


@pytest.mark.parametrize(
    ("caption", "factor"),
    [
        ("( in millions )", 1e6),
        ("in thousands", 1e3),
        ("$ in billions", 1e9),
        ("dollars in millions", 1e6),
        ("( in millions of dollars )", 1e6),
        ("millions", 1e6),
        ("( 000 2019s )", 1e3),
    ],
)
def test_captions_are_found_in_the_corner(caption, factor):
    scale = find_scale(page(corner=caption))
    assert scale is not None
    assert scale.factor == factor


def test_the_exception_of_a_caption_is_kept():
    scale = find_scale(page(before="the table ( in thousands , except per share data ) : ."))
    assert scale is not None
    assert scale.factor == 1e3
    assert scale.exception == "except per share data"


def test_the_table_speaks_before_the_text():
    scale = find_scale(page(before="amounts in thousands", corner="in millions"))
    assert scale is not None
    assert scale.factor == 1e6


@pytest.mark.parametrize("text", ["it rose by $ 5 million", "sold 3 in millions", "", "debt of 5"])
def test_an_amount_in_running_text_is_no_caption(text):
    assert find_scale(page(before=text, after=text)) is None


def test_text_after_the_table_is_looked_at_last():
    scale = find_scale(page(after="( in billions )"))
    assert scale is not None
    assert scale.factor == 1e9
