"""Rows for turns after a wrong one, behind what a model really said.

Gold histories never show a wrong answer, so that a model which is trained on them alone goes on
from one as if it were right. ``corrected_rows(sample, told, chat, form)`` asks for the gold turn
behind the model's own turns, as DAgger does (Ross et al. 2011, https://arxiv.org/abs/1011.0686).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import PromptForm, system_message
from crossfoot.chat.template import Chat
from crossfoot.errors import CrossfootError
from crossfoot.targets.conversation import turn_messages
from crossfoot.targets.grounding import operands_as_written
from crossfoot.targets.rows import Row, rows_of_messages
from crossfoot.tasks.base import Sample

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")


@dataclass(frozen=True, slots=True)
class Told:
    """A turn as a model answered it, from the question on, and whether it was right."""

    messages: Sequence[Message]
    correct: bool


def corrected_rows(sample: Sample, told: Sequence[Told], chat: Chat, form: PromptForm) -> list[Row]:
    """A row for each gold message of each turn after a wrong one, the model's turns before it.

    Numbers that the model's calls did not use are grounded again. Ends at the first turn whose
    program contradicts its answer, as gold conversations do.
    """
    said = [system_message(sample.page, form)]
    rows: list[Row] = []
    wrong = False
    for index, (turn, own) in enumerate(zip(sample.turns, told, strict=False)):
        if wrong:
            used, earlier = used_numbers(said), sample.turns[:index]
            needed = operands_as_written(turn.gold) if turn.gold else []
            known = [literal for literal in needed if _digits(literal) in used]
            try:
                gold = turn_messages(turn, form, earlier, sample.page, known)
            except CrossfootError:
                break
            rows += rows_of_messages(sample.sample_id, [*said, *gold], chat, start=len(said))
        said += own.messages
        wrong = wrong or not own.correct
    return rows


def used_numbers(messages: Sequence[Message]) -> set[str]:
    """The numbers that the calls of a conversation took or gave back, digits and point alone."""
    texts = [message["content"] for message in messages if message["role"] == "tool"]
    texts += [
        json.dumps(call["function"]["arguments"])
        for message in messages
        for call in message.get("tool_calls", ())
    ]
    return {_digits(number) for text in texts for number in _NUMBER.findall(text)}


def _digits(literal: str) -> str:
    return literal.strip("-%").replace(",", "")
