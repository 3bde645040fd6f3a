import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from crossfoot.arithmetic.calculator import literals
from crossfoot.arithmetic.expression import fold
from crossfoot.pages.page import Page
from crossfoot.pages.places import MAX_PLACES, find_number
from crossfoot.pages.reader import read_page
from crossfoot.pages.table import Table

FIXTURE = Path(__file__).parents[1] / "fixtures" / "page.md"


def described(literal, page=None):
    return [place.describe() for place in find_number(page or tiny.page(), literal)]


def sentence(text):
    return Page("p", (text,), Table((("", "a"), ("row", "b"))), ())


def test_a_cell_is_named_by_its_headers():
    assert described("5829") == ["revenue, 2016"]


def test_the_form_of_a_number_does_not_matter():
    page = read_page(FIXTURE)
    for literal in ("1250.5", "1,250.5", "1250.50", "$1250.5", "1.2505e3"):
        assert described(literal, page) == ["Term loans, 2021"]
    assert described("-26", page) == ["Leases | vessels, 2021"]
    assert described("-31", page) == ["Leases | vessels, 2020"]


def test_a_percentage_is_found_with_and_without_its_sign_and_as_a_fraction():
    assert described("27%") == described("27") == described("0.27") == ["tax rate, 2016"]
    page = sentence("a rate of 12 percent")
    assert described("12%", page) == described("0.12", page) == described("12", page)
    assert described("0.12", page) == ['text: "a rate of 12 percent"']


def test_a_percent_literal_is_found_where_the_page_prints_a_fraction():
    assert described("27%", sentence("a ratio of 0.27")) == ['text: "a ratio of 0.27"']


def test_a_number_in_a_sentence_is_quoted():
    (place,) = described("121.1")
    assert place.startswith('text: "')
    assert "121.1" in place


def test_a_long_sentence_is_quoted_in_part_and_at_whole_words():
    words = "several " * 30
    (place,) = described("61.2", sentence(f"{words}paid $ 61.2 in cash {words}"))
    assert place.startswith('text: "...several several')
    assert place.endswith('several..."')
    assert len(place) < 120


def test_a_row_with_words_and_a_number_in_its_cell_is_named():
    page = Page("p", (), Table((("", "term"), ("lease", "4.5 years"))), ())
    assert described("4.5", page) == ["lease, term"]


def test_a_year_of_the_header_is_found():
    assert 'text: "2015"' in described("2015")


def test_cells_come_before_sentences():
    page = Page("p", ("it was 7",), Table((("", "a"), ("row", "7"))), ("and 7",))
    assert described("7", page) == ["row, a", 'text: "it was 7"', 'text: "and 7"']


def test_the_other_sign_is_found_and_said():
    assert described("26") == ["net debt, 2016 (with the other sign)"]
    assert described("-5829") == ["revenue, 2016 (with the other sign)"]


@pytest.mark.parametrize(
    "text", ["a result of $ ( 149 )", "it was -149", "it was \u2212149", "-$149"]
)
def test_a_negative_number_in_a_sentence_keeps_its_sign(text):
    assert not find_number(sentence(text), "-149")[0].other_sign
    assert find_number(sentence(text), "149")[0].other_sign


@pytest.mark.parametrize("text", ["in 2010-2013", "form a-2013", "10%-2013", "( 2013 )"])
def test_a_hyphen_between_words_is_no_sign(text):
    assert not find_number(sentence(text), "2013")[0].other_sign


def test_a_list_of_numbers_is_not_read_as_one():
    page = sentence("notes 1,2,3 and 1,234,567 and 4,56")
    assert described("123", page) == []
    assert described("456", page) == []
    assert described("2", page)
    assert described("1234567", page)


@pytest.mark.parametrize(
    "literal", ["4711", "no number", "", "nan", "inf", "-inf", "9" * 500, "1e999"]
)
def test_a_number_that_stands_nowhere_has_no_place(literal):
    assert described(literal) == []


def test_places_are_bounded():
    rows = (("", "a"), *(("row", "7") for _ in range(10 * MAX_PLACES)))
    page = Page("p", ("7 " * 10_000,), Table(rows), ())
    assert len(find_number(page, "7")) == MAX_PLACES
    assert len(find_number(page, "-7")) == MAX_PLACES


@given(st.text(), st.text(max_size=12))
def test_no_text_and_no_literal_breaks_the_search(text, literal):
    page = Page("p", (text,), Table((("", text), (text, text))), (text,))
    for place in find_number(page, literal):
        assert place.describe()


@given(st.decimals(-(10**9), 10**9, places=2), st.booleans())
def test_a_number_printed_in_a_cell_or_a_sentence_is_found_with_its_sign(value, in_cell):
    shown = f"{value:,}"
    table = Table((("", "2016"), ("row", shown if in_cell else "n/a")))
    page = Page("p", (f"word {shown} ." if not in_cell else "word",), table, ())
    (place, *_) = find_number(page, str(value))
    assert not place.other_sign
    assert bool(place.quote) is not in_cell


@pytest.mark.parametrize("name", ["train", "dev"])
def test_nearly_all_operands_of_real_programs_are_found(shared_data, name):
    found = total = 0
    for record in json.loads((shared_data / "convfinqa" / f"{name}.json").read_text("utf-8")):
        table = Table(tuple(tuple(row) for row in record["table"]))
        page = Page("", tuple(record["pre_text"]), table, tuple(record["post_text"]))
        for program in record["annotation"]["turn_program"]:
            if "const" not in program:
                for literal in literals(fold(program, table)):
                    total += 1
                    found += bool(find_number(page, literal))
    assert total > 2000
    assert found / total > 0.995
