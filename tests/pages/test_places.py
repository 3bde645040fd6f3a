import json

import tiny
from crossfoot.arithmetic.calculator import literals
from crossfoot.arithmetic.expression import fold
from crossfoot.pages.page import Page
from crossfoot.pages.places import MAX_PLACES, find_number
from crossfoot.pages.table import Table


def described(literal):
    return [place.describe() for place in find_number(tiny.page(), literal)]


def test_a_cell_is_named_by_its_headers():
    assert described("5829") == ["revenue, 2016"]


def test_a_percentage_is_found_with_and_without_its_sign_and_as_a_fraction():
    assert described("27%") == described("27") == described("0.27") == ["tax rate, 2016"]


def test_a_number_in_a_sentence_is_quoted():
    (place,) = described("121.1")
    assert place.startswith('text: "')
    assert "121.1" in place


def test_the_other_sign_is_found_and_said():
    assert described("26") == ["net debt, 2016 (with the other sign)"]


def test_a_number_that_stands_nowhere_has_no_place():
    assert described("4711") == []
    assert described("no number") == []


def test_places_are_bounded():
    rows = (("", "a"), *(("row", "7") for _ in range(10 * MAX_PLACES)))
    assert len(find_number(Page("p", (), Table(rows), ()), "7")) == MAX_PLACES


def test_nearly_all_operands_of_real_programs_are_found(shared_data):
    found = total = 0
    for record in json.loads((shared_data / "convfinqa" / "dev.json").read_text("utf-8")):
        table = Table(tuple(tuple(row) for row in record["table"]))
        page = Page("", tuple(record["pre_text"]), table, tuple(record["post_text"]))
        for program in record["annotation"]["turn_program"]:
            if "const" not in program:
                for literal in literals(fold(program, table)):
                    total += 1
                    found += bool(find_number(page, literal))
    assert total > 2000
    assert found / total > 0.97
