"""Gold conversations as messages."""

import pytest

import tiny
from crossfoot.arithmetic.calculator import calculate
from crossfoot.errors import CrossfootError, DataError
from crossfoot.grading.answer import Gold
from crossfoot.targets.conversation import conversation_messages, is_looked_up, turn_messages
from crossfoot.tasks.base import Sample, Turn


def turn(program, answer, unit="absolute", question="how much?"):
    return Turn(question, Gold(answer, program, unit, page=tiny.page()))


def said(messages):
    """(tool, arguments) of every assistant message."""
    return [
        (m["tool_calls"][0]["function"]["name"], m["tool_calls"][0]["function"]["arguments"])
        for m in messages
        if m["role"] == "assistant"
    ]


def test_a_number_on_the_page_is_submitted_as_it_stands():
    messages = turn_messages(turn("5829", 5829.0))
    assert [m["role"] for m in messages] == ["user", "assistant"]
    assert said(messages) == [("submit_answer", {"value": "5829", "unit": "absolute"})]


def test_a_rate_is_submitted_without_its_percent_sign():
    messages = turn_messages(turn("27%", 0.27, "percent"))
    assert said(messages) == [("submit_answer", {"value": "27", "unit": "percent"})]


def test_a_program_is_calculated_and_its_result_submitted_unchanged():
    messages = turn_messages(turn("subtract(5829, 5735), divide(#0, 5735)", 0.01639, "fraction"))
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "assistant"]
    (_, arguments), (_, answer) = said(messages)
    assert calculate(arguments["expression"]) == messages[2]["content"] == answer["value"]
    assert answer == {"value": "0.01639", "unit": "fraction"}


def test_a_comparison_is_answered_with_yes_or_no():
    messages = turn_messages(turn("greater(5735, 5829)", "no", "yes_no"))
    assert said(messages)[1] == ("submit_answer", {"value": "no", "unit": "yes_no"})


def test_a_table_operation_is_folded_with_the_numbers_of_its_row():
    messages = turn_messages(turn("table_average(revenue, none)", 5782.0))
    expression = said(messages)[0][1]["expression"]
    assert "5829" in expression
    assert "5735" in expression
    assert messages[2]["content"] == "5782.0"


@pytest.mark.parametrize(
    ("program", "answer"),
    [("subtract(5829, 5735)", 95.0), ("5829", 5735.0), ("divide(1, 0)", 1.0), ("add(", 1.0)],
)
def test_a_program_that_contradicts_its_answer_is_refused(program, answer):
    with pytest.raises(CrossfootError):
        turn_messages(turn(program, answer))


def test_a_turn_without_labels_is_refused():
    with pytest.raises(DataError, match="without labels"):
        turn_messages(Turn("how much?"))


def test_a_conversation_ends_before_the_first_turn_that_contradicts_itself():
    good, bad = turn("5829", 5829.0), turn("5829", 1.0)
    sample = Sample("s", tiny.page(), (good, bad, good))
    messages = conversation_messages(sample, "short")
    assert [m["role"] for m in messages] == ["system", "user", "assistant"]


def test_a_whole_conversation_has_every_question_in_order():
    messages = conversation_messages(tiny.sample(), "long")
    asked = [m["content"] for m in messages if m["role"] == "user"]
    assert asked == [one.question for one in tiny.sample().turns]


@pytest.mark.parametrize(
    ("program", "expected"),
    [("5829", True), ("27%", True), ("-26", True), ("add(1, 2)", False)],
)
def test_only_a_single_number_is_looked_up(program, expected):
    assert is_looked_up(program) is expected
