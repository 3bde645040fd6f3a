"""ConvFinQA: conversations on a page, a program and an executed answer for every turn.

``read_convfinqa(Path("train.json"))`` reads ``train.json`` and ``dev.json`` of
https://github.com/czyssrs/ConvFinQA (Chen et al. 2022): ``annotation`` holds the lists
``dialogue_break`` (questions), ``turn_program`` and ``exe_ans_list``, one entry a turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from crossfoot.tasks.base import Sample
from crossfoot.tasks.records import (
    Checked,
    ExecutedAnswer,
    Filled,
    PageRecord,
    make_turn,
    read_samples,
)


class _Annotation(Checked):
    dialogue_break: Annotated[list[Filled], Field(min_length=1)]
    turn_program: list[Filled]
    exe_ans_list: list[ExecutedAnswer]
    qa_split: list[Any] | None = None

    @model_validator(mode="after")
    def _one_entry_a_turn(self) -> _Annotation:
        turns = len(self.dialogue_break)
        for name in ("turn_program", "exe_ans_list", "qa_split"):
            entries = getattr(self, name)
            if entries is not None and len(entries) != turns:
                raise ValueError(f"{name} has {len(entries)} entries for {turns} questions")
        return self


class _Record(PageRecord):
    annotation: _Annotation


def read_convfinqa(path: Path, skip_bad: bool = False) -> list[Sample]:
    """The conversations of a file; a turn whose ``exe_ans_list`` entry is empty has no gold."""
    return read_samples(path, _Record, _sample, skip_bad)


def _sample(record: _Record) -> Sample:
    page = record.page()
    labels = record.annotation
    turns = tuple(
        make_turn(question, program, answer, page)
        for question, program, answer in zip(
            labels.dialogue_break, labels.turn_program, labels.exe_ans_list, strict=True
        )
    )
    return Sample(record.id, page, turns)
