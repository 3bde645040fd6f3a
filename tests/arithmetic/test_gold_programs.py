"""Every gold program of the real data: it executes, folds and unfolds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossfoot.arithmetic.calculator import evaluate
from crossfoot.arithmetic.equivalence import equal_programs
from crossfoot.arithmetic.expression import fold, unfold
from crossfoot.arithmetic.program import exact_value, execute, execute_official, tokenize
from crossfoot.pages.table import Table

PARTS = ("train", "train_partial", "dev")


@dataclass(frozen=True)
class Labelled:
    """One gold program with its page's table and its executed answer."""

    record: str
    program: str
    answer: float | str | None
    table: Table
    convfinqa: bool


def _table(record: dict[str, object]) -> Table:
    rows = record["table"]
    assert isinstance(rows, list)
    return Table(tuple(tuple(row) for row in rows))


def _finqa(folder: Path) -> Iterator[Labelled]:
    for part in PARTS:
        for record in json.loads((folder / "finqa" / f"{part}.json").read_text("utf-8")):
            qa = record["qa"]
            yield Labelled(record["id"], qa["program"], qa["exe_ans"], _table(record), False)


def _convfinqa(folder: Path) -> Iterator[Labelled]:
    for part in PARTS:
        for record in json.loads((folder / "convfinqa" / f"{part}.json").read_text("utf-8")):
            turns = record["annotation"]
            answers = zip(turns["turn_program"], turns["exe_ans_list"], strict=True)
            for program, answer in answers:
                yield Labelled(record["id"], program, answer, _table(record), True)


@pytest.fixture(scope="module")
def finqa(shared_data: Path) -> list[Labelled]:
    return list(_finqa(shared_data))


@pytest.fixture(scope="module")
def convfinqa(shared_data: Path) -> list[Labelled]:
    return list(_convfinqa(shared_data))


def test_every_finqa_program_but_six_executes_to_its_answer(finqa: list[Labelled]) -> None:
    failures = [gold for gold in finqa if execute(gold.program, gold.table) != gold.answer]
    missing = [gold for gold in failures if gold.answer is None]
    assert (len(missing), len(failures) - len(missing)) == (3, 3)
    assert len(finqa) > 4000


def test_every_convfinqa_program_executes_to_its_answer(convfinqa: list[Labelled]) -> None:
    failures = [gold for gold in convfinqa if execute(gold.program, gold.table) != gold.answer]
    assert failures == []
    assert len(convfinqa) > 4000


def test_the_official_execution_agrees_on_every_gold_program(
    finqa: list[Labelled], convfinqa: list[Labelled]
) -> None:
    for gold in finqa + convfinqa:
        official = execute_official(tokenize(gold.program), gold.table, gold.convfinqa)
        assert official == (True, execute(gold.program, gold.table)), gold.record


def test_every_gold_program_folds_to_an_expression_of_equal_value(
    finqa: list[Labelled], convfinqa: list[Labelled]
) -> None:
    for gold in finqa + convfinqa:
        value = exact_value(gold.program, gold.table)
        folded = evaluate(fold(gold.program, gold.table))
        if isinstance(folded, bool):
            assert value == ("yes" if folded else "no"), gold.record
        else:
            assert not isinstance(value, str)
            assert math.isclose(folded, value, rel_tol=1e-9), gold.record


def test_programs_without_tables_and_constants_unfold_to_officially_equal_ones(
    finqa: list[Labelled], convfinqa: list[Labelled]
) -> None:
    plain = [
        gold
        for gold in finqa + convfinqa
        if "table_" not in gold.program and "const_" not in gold.program
    ]
    assert len(plain) > 7000
    for gold in plain:
        unfolded = unfold(fold(gold.program))
        tokens = tokenize(gold.program), tokenize(unfolded)
        assert equal_programs(*tokens, gold.convfinqa), (gold.record, gold.program, unfolded)
