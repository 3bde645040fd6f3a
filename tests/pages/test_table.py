import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfoot.pages.table import Cell, Number, Table, clean_cell, parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5829", 5829.0),
        ("$ 5,829.5", 5829.5),
        ("$ ( 1,234 )", -1234.0),
        ("( $ 9.9 )", -9.9),
        ("(26)", -26.0),
        ("-26 ( 26 )", -26.0),
        ("$ -9 ( 9 )", -9.0),
        (".5", 0.5),
        ("\u221226", -26.0),
        ("\u2013 1,234.5", -1234.5),
        ("2016", 2016.0),
    ],
)
def test_an_amount_is_read_with_its_sign(text, value):
    assert parse_number(text) == Number(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("27.0%", 27.0),
        ("27% ( 27 % )", 27.0),
        ("27 %", 27.0),
        ("( 3.5 ) %", -3.5),
        ("-1%", -1.0),
        ("( 23 ) % (  % )", -23.0),
    ],
)
def test_a_percent_sign_is_remembered_and_does_not_divide(text, value):
    assert parse_number(text) == Number(value, percent=True)


@pytest.mark.parametrize("text", ["", "-", "—", "–", "n/a", "nm", "$ -", "cash", "9 years", "5-7"])
def test_a_cell_without_a_number_has_none(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$ 60.94", "60.94"),
        ("$ 1,234", "1234"),
        ("-26 ( 26 )", "-26"),
        ("27.0% ( 27.0 % )", "27.0%"),
        ("n/a", "n/a"),
        ("  two   words ", "two words"),
    ],
)
def test_prompts_show_cells_clean(text, shown):
    assert clean_cell(text) == shown


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_a_cell(text):
    number = parse_number(text)
    assert number is None or isinstance(number.value, float)
    assert isinstance(clean_cell(text), str)


@given(st.text(alphabet="$ -0123.,%()\u2013", max_size=20) | st.text(max_size=80))
def test_a_cell_as_prompts_show_it_holds_the_same_number(text):
    assert parse_number(clean_cell(text)) == parse_number(text)


@given(st.decimals(-(10**9), 10**9, places=2), st.booleans(), st.booleans())
def test_a_clean_cell_means_the_same_number(value, dollar, percent):
    text = ("$ " if dollar else "") + f"{value:,}" + ("%" if percent else "")
    assert parse_number(clean_cell(text)) == parse_number(text) == Number(float(value), percent)


def test_cells_know_their_headers_and_numbers():
    table = Table((("", "2016", "2015"), ("net debt", "-26 ( 26 )")))
    assert list(table.cells()) == [Cell("-26 ( 26 )", 1, 1, "net debt", "2016", Number(-26.0))]


def test_a_row_longer_than_the_header_has_cells_without_a_column_header():
    table = Table((("", "2016"), ("debt", "1", "2")))
    assert [cell.column_header for cell in table.cells()] == ["2016", ""]
