"""What sentences tell, and conversations about it."""

from random import Random

import pytest

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.synthetic.generate import labelled
from crossfoot.tasks.synthetic.on_sentences import Fact, facts_of, talk_about


def page(*sentences):
    return Page("p.pdf", sentences, Table(()), ())


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        (
            "we note that rent expense was $ 12.2 million , $ 6.9 million and $ 7 million "
            "for the years ended december 31 , 2016 , 2015 and 2014 , respectively .",
            [],  # 7 alone could be anything
        ),
        (
            "we note that rent expense was $ 12.2 million and $ 6.9 million in 2016 and 2015 .",
            [Fact("rent expense", (("2016", "12.2"), ("2015", "6.9")), "million")],
        ),
        ("the net loss on disposal of those assets in 2005 was $ 344000 .", []),
        (
            "printing papers net sales in 2009 were $ 2.8 billion compared with $ 3.4 billion .",
            [Fact("printing papers net sales", (("2009", "2.8"),), "billion")],
        ),
        (
            "our effective tax rate was 36.4 % in 2010 .",
            [Fact("effective tax rate", (("2010", "36.4%"),))],
        ),
        (
            "notes payable were $ 24 million as of december 29 , 2012 ( 2013 : none ) .",
            [Fact("notes payable", (("2012", "24"),), "million")],
        ),
        (
            "restructuring charges were $ 270 million ; this compared with $ 120 million in 2002 .",
            [Fact("restructuring charges", (("", "270"),), "million")],
        ),
        (
            "in 2003 , crb 2019s channels were $ 3.4 billion and $ 4.7 billion .",
            [],
        ),
        ("contributions paid were $ 1.6 billion and $ 329 million in 2017 and 2016 .", []),
        ("as of 2016 there was $ 12 million .", []),
        ("rent expense was $ 12 million and $ 13 million in 2016 .", []),
        ("the securities act of 1933 applies .", []),
        ("nothing was said .", []),
        ("", []),
    ],
)
def test_facts(sentence, facts):
    assert facts_of(page(sentence)) == facts


def test_a_subject_counts_once():
    facts = facts_of(page("cash outlay was $ 73 million . a cash outlay was $ 80 million ."))
    assert facts == [Fact("cash outlay", (("", "73"),), "million")]


def test_conversations_about_a_series_are_right_about_its_years():
    fact = Fact("rent expense", (("2016", "12"), ("2015", "16"), ("2014", "20")))
    seen, first = set(), set()
    for seed in range(100):
        asked = talk_about([fact], Random(seed))
        looked_up = {program for _, program in asked if program.isdigit()}
        assert len(looked_up) < 3 or len(asked) == 3  # the change of which two?
        assert asked == talk_about([fact], Random(seed))
        assert "rent expense" in asked[0][0]
        first.add(asked[0][1])
        for question, program in asked:
            if program.isdigit():
                year = next(year for year, number in fact.figures if number == program)
                assert year in question
            seen.add(program)
    # The change is that of the newer year against the older, whichever was asked first.
    assert {"subtract(12, 16)", "subtract(12, 16), divide(#0, 16)", "add(12, 16)"} <= seen
    assert {"12", "subtract(12, 16)", "subtract(12, 16), divide(#0, 16)", "add(12, 16)"} <= first
    assert not any(program.startswith("subtract(16, 12)") for program in seen)


def test_two_facts_of_one_figure_are_asked_one_after_the_other():
    facts = [Fact("cash outlay", (("", "73"),)), Fact("tax rate", (("2010", "36.4%"),))]
    asked = talk_about(facts, Random(0))
    assert {program for _, program in asked} == {"73", "36.4%"}
    (turn, *_) = labelled([pair for pair in asked if pair[1] == "36.4%"], page())
    assert turn.gold.unit == "percent"


def test_nothing_is_divided_by_zero_or_compared_across_units():
    for figures in ((("2016", "12"), ("2015", "0.0")), (("2016", "12%"), ("2015", "16"))):
        for seed in range(20):
            asked = talk_about([Fact("rent expense", figures)], Random(seed))
            assert [program for _, program in asked if "(" in program] == []


def test_a_figure_in_millions_is_sometimes_asked_for_in_thousands():
    fact = Fact("rent expense", (("2016", "12.2"), ("2015", "6.9")), "million")
    smaller, own = set(), set()
    for seed in range(300):
        for question, program in talk_about([fact], Random(seed)):
            if "thousands" in question:
                assert program in ("multiply(12.2, const_1000)", "multiply(6.9, const_1000)")
                smaller.add("rent expense" in question)
            elif ", in millions?" in question:
                own.add(program)
    assert smaller == {True, False}
    assert own == {"12.2", "6.9"}
    others = [Fact("rent expense", fact.figures), Fact("rent expense", fact.figures, "thousand")]
    for seed in range(40):
        assert not any("multiply" in p for _, p in talk_about(others[seed % 2 :], Random(seed)))
