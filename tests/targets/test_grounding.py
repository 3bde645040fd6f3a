"""Cell grounding: which cells a turn's numbers come from, in the words of the labelled page."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from crossfoot.agent.loop import Setting, converse
from crossfoot.grading.answer import Gold
from crossfoot.pages.markdown import render_labelled
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.targets.conversation import conversation_messages, turn_messages
from crossfoot.targets.grounding import (
    false_cells,
    grounding,
    operands_as_written,
    said_cells,
    unseen_quotes,
)
from crossfoot.tasks.base import Sample, Turn
from crossfoot.tasks.registry import load_task

PAGE = Page(
    "debt.pdf",
    ("interest paid was $ 121.1 in 2016 and $ 97.5 in 2015 .",),
    Table(
        (
            ("", "2016", "2015"),
            ("total debt", "$ 6225.2", "5879"),
            ("bank obligations", "133.1", "234.3"),
            ("other obligations", "133.1", "80"),
            ("loans : ( 1 )", "55", "56"),
            ("effective rate", "2.7% ( 2.7 % )", "3.0% ( 3.0 % )"),
        )
    ),
    (),
)

DEBT = "total debt: 2016 = 6225.2; 2015 = 5879"
OTHER = "other obligations: 2016 = 133.1; 2015 = 80"


def gold(program):
    return Gold(0.0, program, "absolute", page=PAGE)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("6225.2", f"{DEBT} -> 2016 = 6225.2"),
        ("2.7%", "effective rate: 2016 = 2.7%; 2015 = 3.0% -> 2016 = 2.7%"),
        ("subtract(6225.2, 5879), divide(#0, 5879)", f"{DEBT} -> 2016 = 6225.2; 2015 = 5879"),
        ("subtract(5879, 6225.2)", f"{DEBT} -> 2015 = 5879; 2016 = 6225.2"),
        ("divide(80, 5879)", f"{OTHER} -> 2015 = 80 | {DEBT} -> 2015 = 5879"),
        ("97.5", "text: interest paid was $ 121.1 in 2016 and $ 97.5"),
        ("table_average(total debt, none)", DEBT),
        ("multiply(80, const_1000)", f"{OTHER} -> 2015 = 80"),
        ("add(7, 80)", f"{OTHER} -> 2015 = 80"),
        ("56", "loans ( 1 ): 2016 = 55; 2015 = 56 -> 2015 = 56"),
        ("7", ""),
        ("no program", ""),
    ],
)
def test_each_number_is_picked_from_its_whole_row(program, said):
    assert grounding(gold(program), ["what was it?"], ()) == (said and f"Cells: {said}")


@pytest.mark.parametrize("name", ["bank", "other"])
def test_of_two_places_the_one_that_the_questions_name_is_meant(name):
    asked = [f"what were the {name} obligations in 2015?", "and in 2016?"]
    said = grounding(gold("133.1"), asked, ())
    assert said.startswith(f"Cells: {name} obligations: 2016 = 133.1; ")
    assert said.endswith(" -> 2016 = 133.1")


def test_a_table_without_header_is_said_by_its_rows():
    page = Page("p", (), Table((("2013", "$ 516"), ("2014", "556"))), ())
    for literal, said in (("516", "2013: 516"), ("556", "2014: 556")):
        found = grounding(Gold(0.0, literal, "absolute", page=page), ["?"], ())
        assert found == f"Cells: {said}"
        assert false_cells(found, page) == []


def test_a_sentence_is_quoted_from_its_beginning():
    asked = ["what was the amount paid in 2015?"]
    said = grounding(gold("97.5"), asked, ())
    assert said.startswith("Cells: text: ")
    assert said.endswith("paid was $ 121.1 in 2016 and $ 97.5")
    assert grounding(gold("97.5"), [*asked, "what was it?"], ()) == said
    assert false_cells(said, PAGE) == []


@pytest.mark.parametrize(("words", "first"), [(38, "w0"), (50, "paid")])
def test_a_long_sentence_is_not_quoted_from_its_beginning(words, first):
    long = " ".join(f"w{i}" for i in range(words))
    page = Page("p", (f"we sold all . {long} paid $ 7.5 in cash .",), Table(()), ())
    said = grounding(Gold(0.0, "7.5", "absolute", page=page), ["what was paid?"], ())
    assert said.startswith(f"Cells: text: {first} ")
    assert said.endswith(" paid $ 7.5")
    assert false_cells(said, page) == []


@pytest.mark.parametrize("question", ["w3 in 2016?", "and from december 2016 of w3?"])
def test_a_year_or_a_month_begins_no_quote(question):
    long = " ".join(["word"] * 40)
    page = Page("p", (f"{long} in december 2016 telling w3ll paid $ 7.5 .",), Table(()), ())
    said = grounding(Gold(0.0, "7.5", "absolute", page=page), [f"{question} paid?"], ())
    assert said == "Cells: text: paid $ 7.5"


def test_a_wide_row_is_said_from_its_first_wanted_cell_to_its_last():
    years = [str(2000 + year) for year in range(12)]
    numbers = [str(100 + year) for year in range(12)]
    page = Page("p", (), Table((("", *years), ("sales", *numbers))), ())

    def said(program):
        return grounding(Gold(0.0, program, "absolute", page=page), ["?"], ())

    assert said("111") == "Cells: sales: 2011 = 111"
    row = "Cells: sales: 2009 = 109; 2010 = 110; 2011 = 111"
    assert said("subtract(111, 109)") == f"{row} -> 2011 = 111; 2009 = 109"


def test_of_columns_with_one_header_the_one_that_holds_the_number_is_said():
    page = Page("p", (), Table((("", "2016 2015", "2016 2015"), ("sales", "$ 5.0", "-6%"))), ())
    for literal, said in (("5.0", "5.0"), ("6%", "-6%")):
        found = grounding(Gold(0.0, literal, "percent", page=page), ["?"], ())
        row = "sales: 2016 2015 = 5.0; 2016 2015 = -6%"
        assert found == f"Cells: {row} -> 2016 2015 = {said}"


def test_what_is_known_is_not_said_again():
    program = "subtract(6225.2, 5879)"
    assert grounding(gold(program), ["?"], {"6225.2"}) == f"Cells: {DEBT} -> 2015 = 5879"
    assert grounding(gold(program), ["?"], {"6225.2", "5879"}) == ""


def test_table_cells_are_said_as_the_labelled_page_prints_them():
    page = render_labelled(PAGE.table)
    for cell in PAGE.table.cells():
        literal = cell.text.split("(")[0].strip("$ ")
        said = grounding(gold(literal), [cell.row_header], ()).removeprefix("Cells: ")
        line, _, picked = said.partition(" -> ")
        assert line in page.split("\n")
        assert picked in line
        assert picked.endswith(f"= {literal}")


def test_operands_are_those_of_the_program_once():
    assert operands_as_written(gold("add(1, 2), add(#0, 2), divide(#1, const_2)")) == ["1", "2"]
    assert operands_as_written(gold("table_max(total debt, none)")) == ["total debt"]


def test_what_the_prompt_leaves_out_is_not_quoted():
    shown = replace(PAGE, table=Table((PAGE.table.rows[0], PAGE.table.rows[3])))
    turn = Turn("and the bank obligations?", replace(gold("133.1"), answer=133.1))
    for page, row in ((PAGE, "bank obligations"), (shown, "other obligations")):
        *_, reply = turn_messages(turn, "grounded", page=page)
        assert reply["content"].startswith(f"Cells: {row}: 2016 = 133.1; ")


def test_only_the_first_call_of_a_grounded_turn_says_it():
    sample = Sample(
        "debt",
        PAGE,
        (
            Turn("what was total debt in 2016?", Gold(6225.2, "6225.2", "absolute", page=PAGE)),
            Turn("less 2015?", Gold(346.2, "subtract(6225.2, 5879)", "absolute", page=PAGE)),
        ),
    )
    said = [m["content"] for m in conversation_messages(sample, "grounded")[1:]]
    assert [text for text in said if "=" in text] == [
        f"Cells: {DEBT} -> 2016 = 6225.2",
        f"Cells: {DEBT} -> 2015 = 5879",
    ]
    assert not any("=" in m["content"] for m in conversation_messages(sample, "labelled")[1:])
    whole = conversation_messages(sample, "grounded")
    talk = converse(sample, Setting("grounded", history="gold"))
    assert next(talk) == whole[:2]
    second = turn_messages(sample.turns[1], "grounded", sample.turns[:1])
    assert second == whole[3:]


def test_the_scaled_form_reads_the_caption_before_the_rows():
    page = Page("p", ("our debt ( in millions ) .", *PAGE.before), PAGE.table, ())
    scale = "Cells: scale: in millions"
    turn = Turn("debt in 2015?", Gold(5879.0, "5879", "absolute", page=page))
    _, reply = turn_messages(turn, "scaled")
    assert reply["content"] == f"{scale} | {DEBT} -> 2015 = 5879"
    assert false_cells(reply["content"], page) == []
    assert false_cells(reply["content"], PAGE) == ["scale: in millions"]
    sentence = Gold(0.0, "97.5", "absolute", page=page)
    assert "scale" not in grounding(sentence, ["?"], (), scale=True)
    assert grounding(gold("5879"), ["?"], (), scale=True) == f"Cells: {DEBT} -> 2015 = 5879"


def test_a_turn_without_a_page_says_nothing():
    assert grounding(Gold(1.0, "5829", "absolute"), ["?"], ()) == ""
    assert turn_messages(tiny.sample().turns[0], "grounded")[0]["role"] == "user"


def test_the_cells_of_a_reply_are_checked_against_the_page():
    said = (
        "Cells: total debt: 2016 = 6225.2; 2015 = 5878 -> 2016 = 6225.2"
        " | text: in 2016 and $ 97.5 | rate: 2016 = 1 -> 2015 = 3"
    )
    assert said_cells(said) == [
        "total debt: 2016 = 6225.2",
        "total debt: 2015 = 5878",
        "text: in 2016 and $ 97.5",
        "rate: 2016 = 1",
        "rate: 2015 = 3",
    ]
    wrong = ["total debt: 2015 = 5878", "rate: 2016 = 1", "rate: 2015 = 3"]
    assert false_cells(said, PAGE) == wrong


@pytest.mark.parametrize("text", ["", "total debt: 2016 = 6225.2", "Cells: a | b", "Cells: "])
def test_other_text_names_no_cell(text):
    assert said_cells(text) == []


@given(st.text())
def test_any_reply_can_be_read(text):
    assert set(false_cells(text, PAGE)) <= set(said_cells(text))


def test_a_quote_is_unseen_unless_one_text_shows_all_of_it():
    said = f"Cells: {DEBT} -> 2016 = 6225.2 | text: rent was < $ 7 | text: it rose"
    assert unseen_quotes(said, ["in all rent was &lt; $ 7 .", "and it rose"]) == []
    assert unseen_quotes(said, ["rent was", "< $ 7 ; it rose"]) == ["text: rent was < $ 7"]
    assert unseen_quotes(said, []) == ["text: rent was < $ 7", "text: it rose"]


def test_every_gold_cell_is_true_on_real_pages(shared_data):
    samples = load_task("convfinqa", "dev", shared_data)[:80]
    said = [
        (message["content"], sample.page)
        for sample in samples
        for message in conversation_messages(sample, "grounded")
        if message["role"] == "assistant" and message["content"]
    ]
    false = [cell for text, page in said for cell in false_cells(text, page)]
    assert len(said) > 150
    assert false == []
