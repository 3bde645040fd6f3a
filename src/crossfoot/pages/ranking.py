"""How likely a conversation is about each unit of its page now: a linear model of few features.

``likeliest(page, ["what was revenue in 2016?"])`` begins with a unit and its share, ``("table_1",
0.83)``. A unit's score is the weighted sum of its ``FEATURES``, its share the softmax over the
page. The weights in ``ranking.json`` are fitted on training pages, without those of validation, so
that the units which hold the numbers of gold programs get the largest shares (``python
benchmarks/fit_ranking.py``). BM25 is Lucene's, as bm25s has it (https://github.com/xhluca/bm25s),
over words by their first letters; the page is the collection.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

import bm25s
import numpy as np
from bm25s.stopwords import STOPWORDS_EN
from numpy.typing import NDArray

from crossfoot.pages.page import Page
from crossfoot.pages.units import filled_units, is_text, row_name

Values = NDArray[np.float64]

# Of a unit, whatever is asked.
OF_UNIT = (
    "text",  # 1 for paragraphs
    "words",  # log(1 + words)
    "text_words",  # the same, 0 for rows
    "label_words",  # log(1 + words of a row header)
    "no_number",
    "no_amount",  # no number but years
    "amounts",  # log(1 + numbers that are no years)
    "dollars",
    "percent",
)
# Of a unit and the questions; words count by their rarity on the page.
OF_QUESTION = (
    "bm25",  # of the last question
    "bm25_share",  # of the best unit's
    "text_share",  # the same, 0 for rows
    "words_bm25",  # of the last question without its years
    "history_rank",  # 1 by the rank by all questions, the last one twice
    "vague_history",  # the share by these, where the last question has no words of its own
    "asked",  # the share of the last question's words that the unit has
    "asked_before",  # of the words of the questions before it
    "pairs",  # the share of the last question's pairs of neighbours
    "label",  # the share of a row header's words that the last question has
)
FEATURES = OF_UNIT + OF_QUESTION
LETTERS = 5  # of a word: "amortized" and "amortization" are one
_TOKEN = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ASKING = ("what", "which", "how", "much", "many", "do", "does", "did", "were")
_COMMON = ("from", "between", "during", "year", "years", "value", "amount", "number")
_STOP = frozenset((*STOPWORDS_EN, *_ASKING, *_COMMON))


class Unit(NamedTuple):
    """What is ranked: a paragraph, or a row as FinQA tells it with its header."""

    name: str
    text: str
    header: str = ""


def likeliest(page: Page, questions: Sequence[str]) -> list[tuple[str, float]]:
    """All units that say something with their shares, the likeliest first.

    Equal ones stand in the order of the page.
    """
    units = units_of(page)
    found = shares(units, questions)
    order = np.argsort(-found, kind="stable")
    return [(units[index].name, float(found[index])) for index in order]


def units_of(page: Page) -> tuple[Unit, ...]:
    """The units of a page that say something, in its order."""
    headers = {row_name(i): row[0] for i, row in enumerate(page.table.rows) if row}
    return tuple(
        Unit(name, text, headers.get(name, "")) for name, text in filled_units(page).items()
    )


def shares(units: tuple[Unit, ...], questions: Sequence[str]) -> Values:
    """The share of each unit (units,), all together 1."""
    scores = features(units, questions) @ _weights()
    found: Values = np.exp(scores - scores.max(initial=0.0))
    found /= max(found.sum(), 1e-9)
    return found


def features(units: tuple[Unit, ...], questions: Sequence[str]) -> Values:
    """An array of ``FEATURES`` (units, features)."""
    indexed = _indexed(units)
    last = _words(questions[-1])
    before = [word for question in questions[:-1] for word in _words(question)]
    plain = [word for word in last if not _YEAR.fullmatch(word)]
    bm25 = indexed.bm25(last)
    share = _of_best(bm25)
    history = _of_best(indexed.bm25([*last, *last, *before]))
    vague = not any(word in indexed.rarity for word in plain)
    pairs = _pairs(last)
    of_question = (
        bm25,
        share,
        share * indexed.of_unit[:, OF_UNIT.index("text")],
        indexed.bm25(plain),
        1 / (1 + np.argsort(np.argsort(-history, kind="stable"))),
        history * vague,
        [indexed.covered(plain, words) for words in indexed.words],
        [indexed.covered(before, words) for words in indexed.words],
        [len(pairs & _pairs(words)) / (len(pairs) + 1) for words in indexed.words],
        [indexed.covered(label, plain) for label in indexed.labels],
    )
    columns = [np.asarray(column, dtype=float) for column in of_question]
    return np.column_stack([indexed.of_unit, *columns])


@dataclass(frozen=True)
class _Indexed:
    """What of a page does not depend on the questions."""

    words: list[list[str]]
    labels: list[list[str]]  # words of row headers, none of paragraphs
    rarity: dict[str, float]
    index: Any
    of_unit: Values

    def bm25(self, words: list[str]) -> Values:
        """The score of every unit."""
        if self.index is None or not words:
            return np.zeros(len(self.words))
        return np.asarray(self.index.get_scores(words)[: len(self.words)], dtype=float)

    def covered(self, words: Iterable[str], by: Iterable[str]) -> float:
        """The share of words that others have, each by its rarity."""
        wanted = set(words)
        total = sum(map(self._rare, wanted))
        return sum(map(self._rare, wanted & set(by))) / total if total else 0.0

    def _rare(self, word: str) -> float:
        return self.rarity.get(word, math.log(1 + 2 * len(self.words)))


@lru_cache(maxsize=256)
def _indexed(units: tuple[Unit, ...]) -> _Indexed:
    words = [_words(unit.text) for unit in units]
    labels = [_words(unit.header) for unit in units]
    found = Counter(word for unit in words for word in set(unit))
    rarity = {w: math.log(1 + (len(units) - n + 0.5) / (n + 0.5)) for w, n in found.items()}
    index = None
    if any(words):
        index = bm25s.BM25()
        index.index(words, show_progress=False)
    of_unit = [_of_unit(*unit) for unit in zip(units, words, labels, strict=True)]
    array = np.asarray(of_unit, dtype=float).reshape(len(units), len(OF_UNIT))
    return _Indexed(words, labels, rarity, index, array)


def _of_unit(unit: Unit, words: list[str], label: list[str]) -> tuple[float, ...]:
    numbers = [word for word in words if word[0].isdigit()]
    amounts = sum(not _YEAR.fullmatch(number) for number in numbers)
    length = math.log1p(len(words))
    text = is_text(unit.name)
    shape = (text, length, length * text, math.log1p(len(label)))
    amounts_in = (not numbers, not amounts, math.log1p(amounts))
    return (*shape, *amounts_in, "$" in unit.text, "%" in unit.text)


def _words(text: str) -> list[str]:
    """Words by their first letters, and numbers."""
    words = _TOKEN.findall(text.lower().replace(",", ""))
    return [word[:LETTERS] if word.isalpha() else word for word in words if word not in _STOP]


def _pairs(words: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(words))


def _of_best(scores: Values) -> Values:
    best: float = scores.max(initial=0.0)
    return scores / max(best, 1e-9)


@cache
def _weights() -> Values:
    weights = json.loads((files("crossfoot.pages") / "ranking.json").read_text("utf-8"))
    return np.asarray([weights[name] for name in FEATURES])
