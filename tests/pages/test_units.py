from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.page import Page
from crossfoot.pages.places import find_number
from crossfoot.pages.retrieval import ranked
from crossfoot.pages.table import Table
from crossfoot.pages.units import filled_units, is_text, keep, unit_names

ROWS = (
    ("( in millions )", "2016", "2015"),
    ("revenue", "$ 5829", "$ 5735"),
    ("operating costs", "4210", "4305"),
    ("tax rate", "27% ( 27 % )", "28% ( 28 % )"),
)
PAGE = Page(
    "OURS/2016/page_1.pdf",
    ("results of the year .", "."),
    Table(ROWS),
    ("cash paid for interest was $ 121.1 in 2016 .", "leases end in 2020 ."),
)


def test_paragraphs_are_counted_through_both_texts_and_rows_with_the_header() -> None:
    assert unit_names(PAGE) == (
        "text_0",
        "text_1",
        "table_0",
        "table_1",
        "table_2",
        "table_3",
        "text_2",
        "text_3",
    )


def test_empty_paragraphs_and_the_header_say_nothing_by_themselves() -> None:
    units = filled_units(PAGE)
    assert list(units) == ["text_0", "table_1", "table_2", "table_3", "text_2", "text_3"]
    assert units["table_1"] == "the revenue of 2016 is 5829 ; the revenue of 2015 is 5735"


def test_a_row_brings_the_header_along() -> None:
    kept = keep(PAGE, {"table_2", "text_2"})
    assert kept.table.rows == (ROWS[0], ROWS[2])
    assert (kept.before, kept.after) == ((), PAGE.after[:1])


def test_the_header_can_be_kept_alone_and_text_without_any_table() -> None:
    assert keep(PAGE, {"table_0"}).table.rows == ROWS[:1]
    assert keep(PAGE, {"text_0"}).table.rows == ()


def test_all_units_are_the_whole_page() -> None:
    assert keep(PAGE, unit_names(PAGE)) == PAGE


@pytest.mark.parametrize(
    ("literal", "units"),
    [("5829", ["table_1"]), ("121.1", ["text_2"]), ("2020", ["text_3"]), ("28%", ["table_3"])],
)
def test_a_place_names_the_unit_that_holds_it(literal: str, units: list[str]) -> None:
    assert [place.unit for place in find_number(PAGE, literal)] == units


def test_a_column_header_stands_in_row_zero() -> None:
    assert [place.unit for place in find_number(PAGE, "2015")] == ["table_0"]


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("what was the tax rate in 2015?", "table_3"),
        ("how much interest was paid in cash?", "text_2"),
        ("when do the leases end?", "text_3"),
    ],
)
def test_what_a_question_is_about_is_ranked_first(question: str, best: str) -> None:
    assert ranked(PAGE, question)[0] == best


@pytest.mark.parametrize("question", ["", "?", "a", "the of", "zzzz"])
def test_a_question_without_a_known_word_leaves_the_order_of_the_page(question: str) -> None:
    assert ranked(PAGE, question) == tuple(filled_units(PAGE))


_TEXTS = st.lists(st.text(max_size=30), max_size=4)
_TABLES = st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=4)


@given(_TEXTS, _TABLES, _TEXTS, st.text(max_size=40))
def test_any_page_is_ranked_whole(
    before: list[str], rows: list[list[str]], after: list[str], question: str
) -> None:
    page = Page("any", tuple(before), Table(tuple(map(tuple, rows))), tuple(after))
    order = ranked(page, question)
    assert sorted(order) == sorted(filled_units(page))
    assert order == ranked(page, question)
    texts = [unit for unit in unit_names(page) if is_text(unit)]
    kept = keep(page, texts)
    assert (kept.before, kept.after, kept.table.rows) == (page.before, page.after, ())
