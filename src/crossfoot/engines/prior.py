"""The first line that a reply quotes, weighed by the ranking of the lines that it was shown.

A model that quotes before it calls (``Cells: total debt: 2016 = ...``) takes the line whose tokens
it finds likeliest. Here that probability is multiplied by the line's share in the fitted ranking
(pages/ranking.py), token by token along the tree of all lines: shallow fusion (Gulcehre et al.
2015, https://arxiv.org/abs/1503.03535). Nothing is forbidden: what is no beginning of a line is
unlikely. Lines and questions are read from the messages, as the grammar of quotes reads them
(engines/quotes.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import LIKELY
from crossfoot.engines.quotes import MAX_LINES, beginnings, shown
from crossfoot.engines.steering import Steering
from crossfoot.pages.markdown import cells_of_line, row_of_line
from crossfoot.pages.ranking import Unit, shares
from crossfoot.pages.units import row_name, text_name, told
from crossfoot.targets.grounding import CELLS, TEXT, WIDE

TOKENS = 12  # of a line: behind them it is told from others
CHARS = 200  # which have as many
UNLIKELY = 1e-3  # the share of what is no line's beginning


@dataclass(frozen=True, slots=True)
class _Line:
    """A row or sentence, its share, and the tokens that quotes of it begin with."""

    share: float
    starts: frozenset[tuple[int, ...]]


class LinePrior:
    """Weighs the first quote of replies to questions; ``inner`` has its own say before."""

    def __init__(self, tokenizer: Any, end_id: int, inner: Steering | None = None) -> None:
        self.tokenizer = tokenizer
        self.end_id = end_id
        self.inner = inner
        self._head = self._ids(CELLS.rstrip())
        self._lines: list[list[_Line]] = []
        self._said: dict[int, list[int]] = {}

    def read(self, batch: Sequence[Sequence[Message]]) -> None:
        """Rank the lines that each row of a batch was shown."""
        if self.inner is not None:
            self.inner.read(batch)
        self._lines = [list(self._of(messages)) for messages in batch]

    def begin(self, row: int) -> list[int]:
        """Start a reply; returns the tokens that it has to begin with."""
        dictated = self.inner.begin(row) if self.inner is not None else []
        self._said[row] = [*dictated]
        return dictated

    def accept(self, row: int, token: int) -> list[int]:
        """Take a decoded token; returns those that have to follow it."""
        dictated = self.inner.accept(row, token) if self.inner is not None else []
        self._said[row] += [token, *dictated]
        return dictated

    def adjust(self, row: int, scores: torch.Tensor) -> None:
        """Add to ``scores`` (vocabulary) the logarithms of shares, in place."""
        if self.inner is not None:
            self.inner.adjust(row, scores)
        head = len(self._head)
        said = tuple(self._said[row])
        if said[:head] != self._head or len(said) >= head + TOKENS:
            return
        following = self._following(row, said[head:])
        if len(following) < 2:
            return
        added = torch.full_like(scores, math.log(UNLIKELY))
        for token, share in following.items():
            added[token] = math.log(max(share, UNLIKELY))
        scores += added

    def _following(self, row: int, said: tuple[int, ...]) -> dict[int, float]:
        """The next tokens of the lines that go on from here, with their parts of all shares."""
        found: dict[int, float] = defaultdict(float)
        together = 0.0
        for line in self._lines[row]:
            going_on = {
                start[len(said)]
                for start in line.starts
                if len(start) > len(said) and start[: len(said)] == said
            }
            together += line.share if going_on else 0.0
            for token in going_on:
                found[token] += line.share
        return {token: share / together for token, share in found.items()} if together else {}

    def _of(self, messages: Sequence[Message]) -> Iterator[_Line]:
        """The lines of a conversation that ends with a question; none of any other."""
        if messages[-1]["role"] != "user":
            return
        rows, sentences = shown(messages)
        rows, sentences = rows[:MAX_LINES], sentences[:MAX_LINES]
        units = [_row(index, line) for index, line in enumerate(rows)]
        units += [Unit(text_name(index), line) for index, line in enumerate(sentences)]
        asked = [m["content"].split(f"\n{LIKELY}")[0] for m in messages if m["role"] == "user"]
        ranked = shares(tuple(units), asked).tolist()
        for line, share in zip(rows, ranked, strict=False):
            yield _Line(share, self._starts(_row_quotes(line)))
        for line, share in zip(sentences, ranked[len(rows) :], strict=True):
            quoted = [quotes for one in line.split(" . ") if (quotes := _sentence_quotes(one))]
            for quotes in quoted:
                yield _Line(share / len(quoted), self._starts(quotes))

    def _starts(self, quotes: Sequence[str]) -> frozenset[tuple[int, ...]]:
        head = len(self._head)
        ids = [self._ids(f"{CELLS}{quote[:CHARS]}") for quote in quotes]
        return frozenset(one[head : head + TOKENS] for one in ids if one[:head] == self._head)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _row(index: int, line: str) -> Unit:
    label, cells = cells_of_line(line)
    return Unit(row_name(index), told(label, cells), label)


def _row_quotes(line: str) -> list[str]:
    """A row, or a wide one from each of its cells."""
    label, cells = row_of_line(line)
    if len(cells) <= WIDE:
        return [line]
    return [f"{label}: {'; '.join(cells[start:])}" for start in range(len(cells))]


def _sentence_quotes(sentence: str) -> list[str]:
    """A sentence from each place where quotes of it may begin."""
    return [f"{TEXT}: {sentence[begin:]}" for begin in beginnings(sentence)]
