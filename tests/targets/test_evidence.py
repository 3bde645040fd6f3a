"""Gold operands are found in the prompt at the token where they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tiny
from crossfoot.chat.messages import user
from crossfoot.chat.prompt import system_message
from crossfoot.chat.template import Chat
from crossfoot.grading.answer import Gold
from crossfoot.targets.evidence import (
    cut_by,
    evidence_positions,
    numbers_stand,
    quoted_numbers,
)
from crossfoot.tasks.base import Sample, Turn


def opening(sample, form):
    return [system_message(sample.page, form), user(sample.turns[0].question)]


@pytest.mark.parametrize("form", ["short", "long"])
def test_positions_are_those_of_the_operands(form):
    chat, sample = Chat(tiny.tokenizer()), tiny.sample()
    messages = opening(sample, form)
    positions = evidence_positions(sample, messages, chat)
    ids = chat.prompt_ids(messages)
    operands = ["5829", "5829", "5735", "5829", "5735", "5735", "5829", "5735"]
    assert len(positions) == len(operands)
    for position, operand in zip(positions, operands, strict=True):
        before, upto = (chat.tokenizer.decode(ids[: position + more]) for more in (0, 1))
        digits = operand[-1]
        assert upto.removeprefix(before).strip().endswith(digits), (operand, upto[-20:])
        assert operand in upto[-12:]


def test_a_limit_cuts_what_stands_beyond_it():
    chat, sample = Chat(tiny.tokenizer()), tiny.sample()
    one = (sample, opening(sample, "short"))
    positions = evidence_positions(*one, chat)
    assert cut_by(max(positions) + 1, [one], chat) == 0
    assert cut_by(max(positions), [one], chat) == positions.count(max(positions)) / len(positions)
    assert cut_by(1, [one, one], chat) == 1


def asking(page, program, question="?"):
    return Sample("ours", page, (Turn(question, Gold(1.0, program, "absolute", page=page)),))


def test_numbers_in_several_places_are_counted_as_guessed():
    page = tiny.page()
    twice = replace(page, after=(*page.after, "it was 5829 before , and 77 after ."))
    program = "subtract(5829, 5735), divide(#0, 5735), add(#1, 99999)"
    assert quoted_numbers([asking(page, program)]) == (2, 0)
    assert quoted_numbers([asking(page, program), asking(twice, program)]) == (4, 1)


@pytest.mark.parametrize("written", ["1000000", "1,000,000"])
def test_a_number_that_a_question_brings_along_need_not_stand_on_the_page(written):
    program = "multiply(5829, 1000000)"
    assert numbers_stand(asking(tiny.page(), program, f"what is that times {written}?"))
    assert not numbers_stand(asking(tiny.page(), program, "what is that in units?"))
