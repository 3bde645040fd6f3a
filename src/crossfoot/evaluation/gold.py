"""The gold turns that saved predictions are graded against.

A gold file is one of FinQA, a conversation file of ConvFinQA, or one of ConvFinQA's turn-level
files (``dev_turn.json``, a record a turn: ``{"id": "Single_MRO/2007/page_134.pdf-1_2",
"annotation": {"cur_program": "subtract(60.94, 25.14)", "exe_ans": 35.8, ...}}``), told apart by the
first record. Sources: https://github.com/czyssrs/FinQA, https://github.com/czyssrs/ConvFinQA.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossfoot.errors import DataError
from crossfoot.files import read_json
from crossfoot.grading.answer import Gold
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.base import Sample
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.finqa import read_finqa
from crossfoot.tasks.units import infer_unit

Kind = Literal["finqa", "convfinqa"]
TurnKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class GoldTurn:
    """One labelled turn; ``name`` is what a report calls it."""

    name: str
    page: str
    gold: Gold


@dataclass(frozen=True, slots=True)
class GoldSet:
    """All turns of a gold file; ``unlabelled`` are those that have no answer to grade by."""

    path: Path
    kind: Kind
    turns: dict[TurnKey, GoldTurn]
    unlabelled: frozenset[TurnKey]


def read_gold(path: Path) -> GoldSet:
    """Read a gold file of any of the three layouts."""
    records = read_json(path)
    first = records[0] if isinstance(records, list) and records else None
    if not isinstance(first, dict):
        raise DataError("expected a list of FinQA or ConvFinQA records", file=path)
    annotation = first.get("annotation")
    if isinstance(annotation, dict) and "cur_program" in annotation:
        return _turn_level(records, path)
    if isinstance(annotation, dict):
        return _conversations(read_convfinqa(path), path, "convfinqa")
    if "qa" in first:
        return _conversations(read_finqa(path), path, "finqa")
    raise DataError(
        "neither qa (FinQA) nor annotation (ConvFinQA)",
        file=path,
        record=str(first.get("id", 0))[:80],
        advice="give the gold file that the predictions were made from",
    )


def _conversations(samples: list[Sample], path: Path, kind: Kind) -> GoldSet:
    turns: dict[TurnKey, GoldTurn] = {}
    unlabelled = set()
    for sample in samples:
        for place, turn in enumerate(sample.turns):
            key = (sample.sample_id, place)
            if key in turns or key in unlabelled:
                raise DataError("this id stands twice", file=path, record=sample.sample_id)
            if turn.gold is None:
                unlabelled.add(key)
                continue
            name = sample.sample_id if kind == "finqa" else f"{sample.sample_id}_{place}"
            turns[key] = GoldTurn(name, sample.page.page_id, turn.gold)
    return GoldSet(path, kind, turns, frozenset(unlabelled))


def _turn_level(records: list[Any], path: Path) -> GoldSet:
    turns: dict[TurnKey, GoldTurn] = {}
    for place, record in enumerate(records):
        try:
            name = str(record["id"])
            annotation = record["annotation"]
            answer, program = annotation["exe_ans"], str(annotation["cur_program"])
            rows = tuple(tuple(str(cell) for cell in row) for row in record["table"])
            page_id = str(record.get("filename", name))
        except (KeyError, TypeError) as error:
            raise DataError(f"not a turn of ConvFinQA: {error}", file=path, record=place) from None
        key = turn_key(name)
        if key is None or key in turns:
            raise DataError("expected <conversation>_<turn>, once", file=path, record=name)
        if isinstance(answer, bool) or not isinstance(answer, int | float | str):
            raise DataError("not an answer", file=path, record=name, field="exe_ans")
        page = Page(page_id, (), Table(rows), ())
        value = answer if isinstance(answer, str) else float(answer)
        dialogue = annotation.get("cur_dial")
        question = str(dialogue[-1]) if isinstance(dialogue, list) and dialogue else ""
        unit = infer_unit(question, program, value)
        turns[key] = GoldTurn(name, page_id, Gold(value, program, unit, page=page))
    return GoldSet(path, "convfinqa", turns, frozenset())


def turn_key(name: str) -> TurnKey | None:
    """``"Single_MRO/2007/page_134.pdf-1_2"`` is turn 2 of the conversation before it."""
    conversation, _, turn = name.rpartition("_")
    if not conversation or not turn.isdecimal() or not turn.isascii() or len(turn) > 4:
        return None
    return conversation, int(turn)
