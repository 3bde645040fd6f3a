"""Few-shot examples: in the call format of each template, and right."""

import pytest

import tiny
from crossfoot.arithmetic.calculator import calculate
from crossfoot.chat.examples import few_shot_messages
from crossfoot.chat.prompt import system_message
from crossfoot.chat.template import Chat
from crossfoot.grading.answer import parse_answer


def functions(message):
    return [tool_call["function"] for tool_call in message.get("tool_calls", [])]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_every_example_reads_back_under_the_template(name):
    chat = Chat(tiny.tokenizer(name))
    messages = [system_message(tiny.page(), "short"), *few_shot_messages()]
    calls = 0
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            ids = chat.completion_ids(messages[: index + 1])
            reply = chat.parse(chat.tokenizer.decode(ids[:-1]))
            assert not reply.malformed
            (read,) = reply.calls
            (function,) = functions(message)
            assert (read.name, read.arguments) == (function["name"], function["arguments"])
            calls += 1
    assert calls == 5


def test_what_the_examples_calculate_is_right_and_is_what_they_submit():
    messages = few_shot_messages()
    computed = 0
    for place, message in enumerate(messages):
        for function in functions(message):
            if function["name"] == "calculate":
                result = calculate(function["arguments"]["expression"])
                assert messages[place + 1]["content"] == result
                (submit,) = functions(messages[place + 2])
                assert submit["arguments"]["value"] == result
                computed += 1
    assert computed == 2


def test_every_example_ends_with_a_valid_answer():
    messages = few_shot_messages()
    for place, message in enumerate(messages):
        if place + 1 == len(messages) or messages[place + 1]["role"] == "user":
            (function,) = functions(message)
            assert parse_answer(**function["arguments"]) is not None


def test_every_number_of_the_examples_stands_in_their_table():
    messages = few_shot_messages()
    table = messages[0]["content"]
    for message in messages:
        for function in functions(message):
            for number in ("615", "590", "840", "800"):
                if number in str(function["arguments"]):
                    assert number in table
