"""An engine that says what a test tells it to, and calls in the Hermes form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from crossfoot.chat.calls import parse_reply
from crossfoot.chat.messages import Message
from crossfoot.engines.base import Generation

SECONDS = 0.5


class Scripted:
    """Replies with ``texts`` in order, or with what a function makes of the messages."""

    name = "scripted"

    def __init__(self, *texts: str, reply: Callable[[Sequence[Message]], str] | None = None):
        self.texts = list(texts)
        self.reply = reply or (lambda messages: self.texts.pop(0))
        self.seen: list[list[Message]] = []
        self.batches = 0

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        self.seen += [list(messages) for messages in batch]
        texts = [self.reply(messages) for messages in batch]
        return [Generation(parse_reply(t, "hermes"), t, 10, 5, True, SECONDS) for t in texts]

    def check(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> None:
        """Every prompt fits."""

    def new_batch(self) -> None:
        self.batches += 1


def called(name: str, /, **arguments: Any) -> str:
    """The text of a call."""
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def submitted(value: str, unit: str = "absolute") -> str:
    """The text of a submitted answer."""
    return called("submit_answer", value=value, unit=unit)
