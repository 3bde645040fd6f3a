"""Prompts for base models, which have no chat template: text that the target goes on from.

``BaseChat(tokenizer, heading="Program")`` renders the instructions and the page, then
``Question: ...``, then ``Program:`` and a line break; a target ends with the end-of-text token. It
takes the place of a ``Chat`` wherever a question is answered in one reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError


def base_text(messages: Sequence[Message], heading: str) -> str:
    """A prompt without the token that begins a text; a reply follows on a line of its own."""
    rules = [str(message["content"]) for message in messages if message["role"] == "system"]
    asked = [f"Question: {m['content']}" for m in messages if m["role"] == "user"]
    return "\n\n".join([*rules, *asked]) + f"\n{heading}:\n"


@dataclass(frozen=True)
class BaseChat(Chat):
    """A ``Chat`` of one question and one reply that offers no tools."""

    tools: bool = False
    heading: str = "Answer"

    def __post_init__(self) -> None:
        if self.tokenizer.eos_token is None:
            name = getattr(self.tokenizer, "name_or_path", "the tokenizer")
            raise ModelError(f"{name} has no token that ends a text")

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        reply = "" if add_generation_prompt else messages[-1]["content"] + self.tokenizer.eos_token
        asked = messages if add_generation_prompt else messages[:-1]
        return self._beginning + base_text(asked, self.heading) + reply

    @property
    def _beginning(self) -> str:
        """The token that this tokenizer begins every text with, if there is one."""
        first: list[Any] = self.tokenizer("")["input_ids"]
        begins = bool(first) and first[0] == self.tokenizer.bos_token_id
        return str(self.tokenizer.bos_token) if begins else ""
