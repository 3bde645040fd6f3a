"""FinQA: one question on a page, with its program and executed answer.

``read_finqa(Path("dev.json"))`` reads ``train.json``, ``dev.json`` and ``test.json`` of
https://github.com/czyssrs/FinQA (Chen et al. 2021): ``qa`` holds ``question``, ``program``,
``exe_ans`` (a number, yes or no), ``answer``, which people wrote and which is often empty, and
``gold_inds``, whose keys name the evidence (``table_1``, ``text_3``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossfoot.tasks.base import Sample
from crossfoot.tasks.records import (
    Checked,
    ExecutedAnswer,
    Filled,
    PageRecord,
    make_turn,
    read_samples,
)


class _Question(Checked):
    question: Filled
    program: Filled
    exe_ans: ExecutedAnswer = None
    answer: str | float | None = None
    gold_inds: dict[str, Any] | None = None


class _Record(PageRecord):
    qa: _Question


def read_finqa(path: Path, skip_bad: bool = False) -> list[Sample]:
    """The questions of a file, each a conversation of one turn.

    A question without ``exe_ans`` is labelled wrong in the data (its program cannot be executed):
    its turn has no gold, so that it is neither trained on nor graded.
    """
    return read_samples(path, _Record, _sample, skip_bad)


def _sample(record: _Record) -> Sample:
    page = record.page()
    labels = record.qa
    text = "" if labels.answer is None else str(labels.answer)
    evidence = tuple(labels.gold_inds or ())
    turn = make_turn(labels.question, labels.program, labels.exe_ans, page, text, evidence)
    return Sample(record.id, page, (turn,))
