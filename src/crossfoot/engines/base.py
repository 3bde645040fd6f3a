"""What an engine is: something that continues messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crossfoot.chat.calls import Reply
from crossfoot.chat.messages import Message


@dataclass(frozen=True, slots=True)
class Generation:
    """One reply as the engine produced it.

    ``finished`` is False where the token limit cut it off; ``seconds`` is the time of the batch
    that it was part of.
    """

    reply: Reply
    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    seconds: float


class Engine(Protocol):
    """Continues conversations; a batch's replies depend on that batch alone."""

    name: str

    def generate(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> list[Generation]:
        """One reply for each conversation of ``batch``, decoded greedily."""
        ...

    def check(self, batch: Sequence[Sequence[Message]], max_new_tokens: int) -> None:
        """Raise ModelError where a reply to one of these does not fit the model's context."""
        ...

    def new_batch(self) -> None:
        """Forget what was kept for the conversations so far."""
        ...
