"""Rows behind what a model really said: only after a wrong turn, and for what is gold there."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tiny
from crossfoot.chat.messages import call, tool_result, user
from crossfoot.chat.template import Chat
from crossfoot.grading.answer import Gold
from crossfoot.pages.table import Table
from crossfoot.targets.conversation import conversation_messages, turn_messages
from crossfoot.targets.corrections import Told, corrected_rows, used_numbers
from crossfoot.targets.rows import build_rows
from crossfoot.tasks.base import Sample, Turn


def told(sample, *wrong):
    """The gold turns of a sample, a wrong answer in place of those numbered."""
    turns = []
    for index, turn in enumerate(sample.turns):
        messages = turn_messages(turn, "grounded", sample.turns[:index], sample.page)
        if index in wrong:
            messages = [messages[0], call("submit_answer", "", value="1234", unit="absolute")]
        turns.append(Told(messages, index not in wrong))
    return turns


def test_a_conversation_that_was_right_gives_no_row():
    sample, chat = tiny.sample(), Chat(tiny.tokenizer())
    assert corrected_rows(sample, told(sample), chat, "grounded") == []
    assert corrected_rows(sample, (), chat, "grounded") == []


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_turns_after_a_wrong_one_are_asked_for_behind_what_was_said(name):
    sample, chat = tiny.sample(), Chat(tiny.tokenizer(name))
    turns = told(sample, 1)
    rows = corrected_rows(sample, turns, chat, "grounded")
    said = [*conversation_messages(sample, "grounded")[:1], *turns[0].messages, *turns[1].messages]
    assert rows[0].prompt_ids == tuple(chat.prompt_ids([*said, user(sample.turns[2].question)]))
    after = len(sample.turns) - 2
    assert len(rows) == 2 * after
    gold = build_rows([sample], chat, "grounded")
    assert rows[-1].completion_ids == gold[-1].completion_ids


def test_numbers_that_no_call_has_used_are_grounded_again():
    """The first turn looked up another number, so that the second finds none in the history."""
    sample, chat = tiny.sample(), Chat(tiny.tokenizer())
    whole = build_rows([sample], chat, "grounded")
    rows = corrected_rows(sample, told(sample, 0), chat, "grounded")
    text = chat.tokenizer.decode(rows[0].completion_ids)
    assert text.startswith("Cells: ")
    assert "5829" in text.partition("<tool_call>")[0]
    assert len(text) >= len(chat.tokenizer.decode(whole[1].completion_ids))


def test_used_numbers_are_those_of_calls_and_results():
    messages = [
        user("what was it in 2016?"),
        call("calculate", "Cells: a: 7", expression="5829 - 27%"),
        tool_result("calculate", "5828.73"),
    ]
    assert used_numbers(messages) == {"5829", "27", "5828.73"}


@pytest.mark.parametrize(
    ("program", "value", "unit"), [("27%", "27", "percent"), ("-26", "-26", "absolute")]
)
def test_a_number_is_known_however_the_call_wrote_it(program, value, unit):
    page = replace(tiny.page(), table=Table((("", "2016", "2015"), ("rate", "27%", "-26"))))
    gold = Gold(0.27 if unit == "percent" else -26.0, program, unit, page=page)
    turns = tuple(Turn(question, gold) for question in ("what was the rate?", "again?"))
    own = [user("what was the rate?"), call("submit_answer", "", value=value, unit=unit)]
    chat = Chat(tiny.tokenizer())
    (row,) = corrected_rows(Sample("rate", page, turns), [Told(own, False)] * 2, chat, "grounded")
    assert "Cells" not in chat.tokenizer.decode(row.completion_ids)
