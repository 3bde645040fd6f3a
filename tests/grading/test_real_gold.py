"""The gold side of the real records graded as if it were submitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossfoot.arithmetic.calculator import calculate
from crossfoot.arithmetic.expression import fold
from crossfoot.arithmetic.program import tokenize
from crossfoot.grading.answer import Gold, Submission, parse_answer
from crossfoot.grading.graders import (
    is_correct,
    official_script_crashes,
    program_correct,
)
from crossfoot.grading.operands import operands_named
from crossfoot.pages.page import Page
from crossfoot.pages.table import Table


def golds(path: Path) -> list[Gold]:
    found = []
    for record in json.loads(path.read_text(encoding="utf-8")):
        page = Page(record["filename"], (), Table(tuple(map(tuple, record["table"]))), ())
        side: dict[str, Any] = record.get("qa") or record["annotation"]
        programs = side.get("turn_program") or [side["program"]]
        answers = side.get("exe_ans_list") or [side["exe_ans"]]
        for program, answer in zip(programs, answers, strict=True):
            if answer is not None:
                found.append(Gold(answer, program, "fraction", page=page))
    return found


@pytest.mark.parametrize("name", ["finqa/train", "finqa/dev", "convfinqa/train", "convfinqa/dev"])
def test_gold_program_is_right_or_crashes_the_official_script(name: str, shared_data: Path) -> None:
    convfinqa = name.startswith("convfinqa")
    grader = "official_convfinqa" if convfinqa else "official"
    right = crashes = 0
    turns = golds(shared_data / f"{name}.json")
    for gold in turns:
        tokens = tokenize(gold.program)
        submission = Submission(program=tokens)
        correct = is_correct(submission, gold, grader)
        assert correct == program_correct(submission, gold, convfinqa)
        assert correct != official_script_crashes(tokens, gold, convfinqa)
        right += correct
        crashes += not correct
    assert right + crashes == len(turns) > 0
    assert crashes < 0.001 * len(turns)


@pytest.mark.parametrize("name", ["finqa/dev", "convfinqa/dev"])
def test_gold_transcript_is_right_by_answer_by_program_and_by_operands(
    name: str, shared_data: Path
) -> None:
    for gold in golds(shared_data / f"{name}.json"):
        expression = fold(gold.program, gold.page.table if gold.page else None)
        submission = Submission(parse_answer(calculate(expression), "fraction"), (expression,))
        assert is_correct(submission, gold), gold.program
        assert program_correct(submission, gold, name.startswith("conv")), gold.program
        assert operands_named(submission, gold) in (True, None), gold.program
