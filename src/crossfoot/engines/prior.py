"""What a reply quotes, weighed by the ranking of the lines that it was shown.

A model that quotes before it calls (``Cells: total debt: 2016 = ...``) takes the line whose tokens
it finds likeliest. Here that probability is multiplied by the line's share in the fitted ranking
(pages/ranking.py), token by token along the tree of all lines: shallow fusion (Gulcehre et al.
2015, https://arxiv.org/abs/1503.03535). So it is with the cells that are picked from a row behind
an arrow, ranked among those of the row. Nothing is forbidden: what is no beginning of a line or
cell is unlikely. Lines and questions are read from the messages, as the grammar of quotes reads
them (engines/quotes.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
from crossfoot.targets.grounding import CELLS, PICK, TEXT, WIDE

TOKENS = 12  # of a line: behind them it is told from others
CHARS = 200  # which have as many
UNLIKELY = 1e-3  # the share of what is no line's or cell's beginning
_HEAD, _ARROW = CELLS.rstrip(), PICK.rstrip()


@dataclass(frozen=True, slots=True)
class _Choice:
    """A row, sentence or cell, its share, and the tokens that quotes of it begin with."""

    share: float
    starts: frozenset[tuple[int, ...]]


class LinePrior:
    """Weighs the first quote of replies to questions, and the cells picked from any row.

    ``inner`` has its own say before.
    """

    def __init__(self, tokenizer: Any, end_id: int, inner: Steering | None = None) -> None:
        self.tokenizer = tokenizer
        self.end_id = end_id
        self.inner = inner
        self._heads = {text: self._ids(text) for text in (_HEAD, _ARROW)}
        self._asked: list[list[str]] = []
        self._lines: list[list[_Choice]] = []
        self._picks: dict[tuple[int, str, str], list[_Choice]] = {}
        self._said: dict[int, list[int]] = {}

    def read(self, batch: Sequence[Sequence[Message]]) -> None:
        """Rank the lines that each row of a batch was shown."""
        if self.inner is not None:
            self.inner.read(batch)
        self._picks = {}
        self._asked = [_questions(messages) for messages in batch]
        self._lines = [list(self._of(*each)) for each in zip(batch, self._asked, strict=True)]

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
        following = _following(*self._choices(row, tuple(self._said[row])))
        if len(following) < 2:
            return
        added = torch.full_like(scores, math.log(UNLIKELY))
        for token, share in following.items():
            added[token] = math.log(max(share, UNLIKELY))
        scores += added

    def _choices(
        self, row: int, said: tuple[int, ...]
    ) -> tuple[Sequence[_Choice], tuple[int, ...]]:
        """What a reply chooses from where it stands, and the tokens that it has said of it."""
        head = self._heads[_HEAD]
        if not self._asked[row] or said[: len(head)] != head:
            return [], ()
        text = self.tokenizer.decode(said)
        quote, arrow, picked = text.rpartition(" | ")[2].rpartition(_ARROW)
        if arrow and "\n" not in text:
            before, _, begun = picked.rpartition(";")
            if (row, quote, before) not in self._picks:
                self._picks[row, quote, before] = self._cells(row, quote, before)
            return self._picks[row, quote, before], self._ending(said, begun)
        return (self._lines[row], said[len(head) :]) if len(said) < len(head) + TOKENS else ([], ())

    def _ending(self, said: tuple[int, ...], text: str) -> tuple[int, ...]:
        """The last tokens, which say ``text``."""
        counts = range(min(len(said), CHARS))
        endings = (said[len(said) - count :] for count in counts)
        return next((one for one in endings if self.tokenizer.decode(one) == text), said)

    def _of(self, messages: Sequence[Message], asked: Sequence[str]) -> Iterator[_Choice]:
        """The lines of a conversation that ends with a question; none of any other."""
        if not asked:
            return
        rows, sentences = shown(messages)
        rows, sentences = rows[:MAX_LINES], sentences[:MAX_LINES]
        units = [_row(index, line) for index, line in enumerate(rows)]
        units += [Unit(text_name(index), line) for index, line in enumerate(sentences)]
        ranked = shares(tuple(units), asked).tolist()
        for line, share in zip(rows, ranked, strict=False):
            yield _Choice(share, self._starts(_HEAD, _row_quotes(line)))
        for line, share in zip(sentences, ranked[len(rows) :], strict=True):
            quoted = [quotes for one in line.split(" . ") if (quotes := _sentence_quotes(one))]
            for quotes in quoted:
                yield _Choice(share / len(quoted), self._starts(_HEAD, quotes))

    def _cells(self, row: int, quote: str, picked: str) -> list[_Choice]:
        """The cells of a quoted row that are not picked yet, ranked by their column headers."""
        taken = {cell.strip() for cell in picked.split(";")}
        under: dict[str, list[str]] = defaultdict(list)
        for cell in dict.fromkeys(row_of_line(quote.removeprefix(CELLS).rstrip())[1]):
            if cell not in taken:
                under[cell.rpartition(" = ")[0]].append(cell)
        units = [Unit(row_name(index), header, header) for index, header in enumerate(under)]
        ranked = shares(tuple(units), self._asked[row]).tolist()
        return [
            _Choice(share / len(cells), self._starts(_ARROW, [cell]))
            for cells, share in zip(under.values(), ranked, strict=True)
            for cell in cells
        ]

    def _starts(self, behind: str, quotes: Iterable[str]) -> frozenset[tuple[int, ...]]:
        head = self._heads[behind]
        ids = [self._ids(f"{behind} {quote[:CHARS]}") for quote in quotes]
        return frozenset(one[len(head) :] for one in ids if one[: len(head)] == head)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _following(choices: Sequence[_Choice], said: tuple[int, ...]) -> dict[int, float]:
    """The next tokens of the choices that go on from here, with their parts of all shares.

    None where one is said to its end: it may be what was meant.
    """
    if any(said in choice.starts for choice in choices):
        return {}
    found: dict[int, float] = defaultdict(float)
    together = 0.0
    for choice in choices:
        going_on = {
            start[len(said)]
            for start in choice.starts
            if len(start) > len(said) and start[: len(said)] == said
        }
        together += choice.share if going_on else 0.0
        for token in going_on:
            found[token] += choice.share
    return {token: share / together for token, share in found.items()} if together else {}


def _questions(messages: Sequence[Message]) -> list[str]:
    """What a conversation asks that ends with a question; nothing of any other."""
    if messages[-1]["role"] != "user":
        return []
    return [m["content"].split(f"\n{LIKELY}")[0] for m in messages if m["role"] == "user"]


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
