"""What has a say in the choice of a reply's tokens, beside the model.

A constraint holds replies to a format (engines/constraint.py), a prior weighs the lines that they
quote (engines/prior.py). Our own loop asks them (engines/decoding.py), and ``processor`` does for
transformers' ``generate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from transformers import LogitsProcessor

from crossfoot.chat.messages import Message


class Steering(Protocol):
    """Told of a batch and of each token that is decoded, it changes the scores of the next ones."""

    end_id: int

    def read(self, batch: Sequence[Sequence[Message]]) -> None:
        """Look at the messages of each row of a batch."""
        ...

    def begin(self, row: int) -> list[int]:
        """Start a reply; returns the tokens that it has to begin with."""
        ...

    def accept(self, row: int, token: int) -> list[int]:
        """Take a decoded token; returns those that have to follow it."""
        ...

    def adjust(self, row: int, scores: torch.Tensor) -> None:
        """Change ``scores`` (vocabulary) of what comes next, in place."""
        ...


def processor(steering: Steering, prompt_width: int) -> LogitsProcessor:
    """The same for transformers' ``generate``, one token at a time."""
    return _Processor(steering, prompt_width)


class _Processor(LogitsProcessor):  # type: ignore[misc]
    """Dictated tokens wait in a row's queue; each step takes one or changes the scores."""

    def __init__(self, steering: Steering, prompt_width: int) -> None:
        self.steering = steering
        self.prompt_width = prompt_width
        self.waiting: list[list[int]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """``input_ids`` (B, prompt + generated), ``scores`` (B, vocabulary)."""
        rows, width = input_ids.shape
        if width == self.prompt_width:
            self.waiting = [self.steering.begin(row) for row in range(rows)]
        else:
            for row, token in enumerate(input_ids[:, -1].tolist()):
                if self.waiting[row]:
                    self.waiting[row].pop(0)
                elif token != self.steering.end_id:
                    self.waiting[row] = self.steering.accept(row, token)
        for row, waiting in enumerate(self.waiting):
            ended = width > self.prompt_width and input_ids[row, -1] == self.steering.end_id
            if waiting or ended:
                scores[row] = float("-inf")
                scores[row, waiting[0] if waiting else self.steering.end_id] = 0.0
            else:
                self.steering.adjust(row, scores[row])
        return scores
