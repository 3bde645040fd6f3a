"""Conversations drawn on the tables of real pages."""

import pytest

import tiny
from crossfoot.grading.answer import Submission, parse_answer
from crossfoot.grading.verdict import grade
from crossfoot.pages.page import Page
from crossfoot.pages.places import find_number
from crossfoot.pages.table import Table
from crossfoot.targets.conversation import is_looked_up, turn_messages
from crossfoot.targets.grounding import operands_as_written
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.synthetic.on_pages import draw_on, grid_of


def page(*rows, before=()):
    return Page("p.pdf", tuple(before), Table(rows), ())


SALES = page(
    ("( in millions )", "december 31 , 2016", "2015"),
    ("products", "$ 10", "20"),
    ("services : ( 1 )", "30", "40"),
    ("other", "2014", "-"),
    ("total revenue", "$ 40", "60"),
    ("margin", "27.0% ( 27.0 % )", "-3.5% ( 3.5 % )"),
)


def test_a_table_by_years_becomes_a_grid():
    grid = grid_of(SALES)
    assert [line.header for line in grid.lines] == [
        "products",
        "services : ( 1 )",
        "total revenue",
        "margin",
    ]
    assert [line.names for line in grid.lines][1] == ("services",)
    assert [slot.year for slot in grid.slots] == [2016, 2015]
    assert "as of december 31, 2016" not in grid.slots[0].wheres
    assert grid.literals[3] == ("27.0%", "-3.5%")
    assert [line.kind for line in grid.lines] == ["money", "money", "money", "percent"]
    assert (grid.scale, grid.dated, grid.total, grid.parts) == ("millions", True, 2, (0, 1))


def test_years_down_the_side_are_slots_too():
    grid = grid_of(page(("", "sales", "costs"), ("2016", "10", "20"), ("2015", "30", "40")))
    assert [line.header for line in grid.lines] == ["sales", "costs"]
    assert [slot.year for slot in grid.slots] == [2016, 2015]
    assert grid.literals == (("10", "30"), ("20", "40"))
    assert not grid.lines_are_rows


def test_columns_without_years_are_called_by_their_headers():
    grid = grid_of(page(("", "high", "low"), ("first quarter", "10", "8"), ("second", "9", "7")))
    assert [slot.short for slot in grid.slots] == ["high", "low"]
    assert not grid.dated


@pytest.mark.parametrize(
    "table",
    [
        (),
        ((),),
        (("", "2016"),),
        (("", "2016"), ("sales", "10")),
        (("", "2016", "2016"), ("sales", "10", "20"), ("costs", "1", "2")),
        (("", "", "2016"), ("sales", "10", "20"), ("costs", "1", "2")),
        (("", "2016"), ("sales", "10"), ("sales", "20")),
        (("", "2016"), ("sales", "n/a"), ("costs", "0")),
    ],
)
def test_a_table_whose_headers_do_not_tell_its_cells_is_not_asked_about(table):
    assert draw_on(page(*table), 3, 0) == []


def check(samples):
    """Every turn is right about its page."""
    for sample in samples:
        for index, turn in enumerate(sample.turns):
            *_, last = turn_messages(turn, "grounded", sample.turns[:index])
            arguments = last["tool_calls"][0]["function"]["arguments"]
            answer = parse_answer(arguments["value"], arguments["unit"])
            assert grade(Submission(answer), turn.gold).correct
            if is_looked_up(turn.gold.program):
                (literal,) = operands_as_written(turn.gold)
                assert find_number(sample.page, literal)


def test_conversations_are_right_and_the_same_every_time():
    samples = draw_on(SALES, 20, 0)
    assert len(samples) == 20
    assert len({sample.sample_id for sample in samples}) == 20
    check(samples)
    assert draw_on(SALES, 20, 0) == samples
    assert draw_on(SALES, 5, 0) == samples[:5]
    assert draw_on(SALES, 5, 1) != samples[:5]
    programs = {turn.gold.program for sample in samples for turn in sample.turns}
    assert {"10", "60"} <= programs
    assert any(program.startswith("subtract(") for program in programs)


def test_shares_are_multiplied_by_their_price():
    awards = page(
        ("", "number of shares", "weighted-average fair value"),
        ("granted", "300", "25.04"),
        ("forfeited", "-20", "18.00"),
    )
    samples = draw_on(awards, 40, 0)
    check(samples)
    turns = [turn for sample in samples for turn in sample.turns if "multiply" in turn.gold.program]
    assert {turn.gold.program for turn in turns} == {"multiply(300, 25.04)"}
    assert turns[0].gold.answer == 7512.0
    for sample in samples:
        programs = [turn.gold.program for turn in sample.turns]
        for turn in sample.turns:
            if "price" in turn.question or "product" in turn.question:
                assert turn.gold.program.startswith("25.04") or "25.04" in programs


def test_columns_that_are_no_years_are_computed_with():
    losses = page(
        ("( in millions )", "u.k .", "u.s .", "share of total"),
        ("experience loss", "2012", "1219", "40%"),
        ("amortization", "53", "0", "2%"),
    )
    samples = draw_on(losses, 60, 0)
    check(samples)
    asked = {t.gold.program: t.question for sample in samples for t in sample.turns}
    both = [program for program in asked if "2012" in program and "1219" in program]
    assert {program.split("(")[0] for program in both} == {"add", "subtract", "divide"}
    for program in both:
        assert all(name in asked[program] for name in ("u.k .", "u.s .", "experience loss"))
    assert not any("const_1000" in program and "%" in program for program in asked)


def test_columns_and_rows_of_different_kinds_are_not_computed_with():
    vehicles = page(
        ("", "number of vehicles", "average age", "change"),
        ("trucks", "7200", "7", "4%"),
        ("trailers", "1400", "12", "31"),
    )
    samples = draw_on(vehicles, 60, 0)
    check(samples)
    programs = {turn.gold.program for sample in samples for turn in sample.turns}
    assert {"7200", "12"} <= programs
    for first, second in (("7200", "7"), ("1400", "12"), ("4%", "31"), ("31", "4%")):
        assert not any(f"({first}, {second})" in program for program in programs)


def test_the_page_of_the_tests_can_be_asked_about():
    drawn = draw_on(tiny.page(), 5, 0)
    assert len(drawn) == 5
    check(drawn)


def test_real_pages(shared_data):
    pages = {s.page.page_id: s.page for s in load_task("convfinqa", "dev", shared_data)}
    drawn = [draw_on(page, 1, 0) for page in list(pages.values())[:60]]
    check(sample for samples in drawn for sample in samples)
    assert sum(map(bool, drawn)) > 40
