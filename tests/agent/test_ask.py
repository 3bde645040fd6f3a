"""One conversation on one page: memory, and where numbers stand."""

import pytest

import tiny
from crossfoot.agent.ask import MAX_QUESTION_CHARS, PageConversation, is_constant
from crossfoot.errors import DataError, ModelError
from scripted import Scripted, called, submitted


def conversation(*texts):
    return PageConversation(tiny.page(), Scripted(*texts))


def grounds_of(*texts):
    _, grounds = conversation(*texts).ask("how much?")
    return {ground.literal: ground.places for ground in grounds}


def test_a_number_of_an_expression_is_found_in_its_cell():
    grounds = grounds_of(called("calculate", expression="5829 - 5735"), submitted("94.0"))
    assert grounds == {"5829": ("revenue, 2016",), "5735": ("revenue, 2015",)}


def test_a_number_of_an_answer_is_found_in_its_sentence():
    (places,) = grounds_of(submitted("121.1")).values()
    assert "cash paid for interest" in places[0]


def test_a_negative_number_and_a_percentage_are_found():
    assert grounds_of(submitted("-26")) == {"-26": ("net debt, 2016",)}
    assert grounds_of(submitted("27", "percent")) == {"27%": ("tax rate, 2016",)}
    assert grounds_of(called("calculate", expression="5829 * 27%"), submitted("1573.83"))["27%"]


def test_a_number_that_stands_nowhere_has_no_place():
    assert grounds_of(submitted("777")) == {"777": ()}
    grounds = grounds_of(called("calculate", expression="5829 - 777"), submitted("5052.0"))
    assert grounds["777"] == ()


def test_an_answer_that_is_not_what_was_calculated_is_looked_for():
    grounds = grounds_of(called("calculate", expression="5829 - 5735"), submitted("777"))
    assert grounds["777"] == ()


def test_an_earlier_answer_is_a_place():
    talk = conversation(
        called("calculate", expression="5829 - 5735"),
        submitted("94.0"),
        called("calculate", expression="94 / 5735"),
        submitted("0.01639", "fraction"),
    )
    talk.ask("by how much did it grow?")
    _, grounds = talk.ask("in percent?")
    assert grounds[0].literal == "94"
    assert grounds[0].places == ("calculated for question 1",)


def test_a_yes_or_no_needs_no_place():
    assert grounds_of(submitted("yes", "yes_no")) == {}


def test_the_model_sees_the_page_once_and_all_that_was_said():
    talk = conversation(submitted("5829"), submitted("5735"))
    talk.ask("  what was the\nrevenue? ")
    talk.ask("and in 2015?")
    seen = talk.engine.seen[-1]
    assert [m["role"] for m in seen] == ["system", "user", "assistant", "user"]
    assert seen[1]["content"] == "what was the revenue?"


@pytest.mark.parametrize(
    "question", ["", " \n ", "x" * (MAX_QUESTION_CHARS + 1), "caf\udce9?"], ids=range(4)
)
def test_a_question_that_cannot_be_asked_is_refused_and_forgotten(question):
    talk = conversation(submitted("5829"))
    with pytest.raises(DataError) as caught:
        talk.ask(question)
    assert len(str(caught.value)) < 200
    talk.ask("what was the revenue?")
    assert len(talk.questions) == 1
    assert len(talk.messages) == 3


def test_a_question_whose_answer_failed_is_forgotten():
    def fail(messages):
        raise ModelError("too long")

    talk = PageConversation(tiny.page(), Scripted(reply=fail))
    with pytest.raises(ModelError):
        talk.ask("what was the revenue?")
    assert [m["role"] for m in talk.messages] == ["system"]
    talk.engine = Scripted(submitted("5829"))
    _, grounds = talk.ask("what was the revenue?")
    assert grounds[0].places


@pytest.mark.parametrize(
    ("literal", "constant"), [("100", True), ("2", True), ("1000000", True), ("777", False)]
)
def test_small_counts_and_powers_of_ten_may_be_constants(literal, constant):
    assert is_constant(literal) is constant


def test_what_is_no_number_is_no_constant():
    assert not is_constant("yes")
