from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import filings
from crossfoot.cli.main import app
from crossfoot.errors import CrossfootError
from crossfoot.grading.answer import UNITS
from crossfoot.grading.texts import FORMS, Form, submission_of

PROGRAM = "subtract(5829, 5735), divide(#0, 5735)"


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return filings.write(tmp_path / "dev.json", [filings.finqa_record(n) for n in range(4)])


def graded(gold: Path, form: str, *predictions: object) -> dict[str, Any]:
    path = gold.with_name("predictions.jsonl")
    named = [
        {"id": f"OURS/2016/page_1.pdf-{n}", "prediction": text, "prompt": "kept by a trainer"}
        for n, text in enumerate(predictions)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in named), "utf-8")
    words = ["grade", str(path), "--gold", str(gold), "--json"]
    result = CliRunner().invoke(app, [*words, "--as", form] if form else words)
    if result.exception:
        raise result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def counts(score: dict[str, Any]) -> tuple[int, int]:
    return score["correct"], score["total"]


def test_programs_are_executed_compared_and_checked_for_validity(gold: Path) -> None:
    swapped = "subtract(5735, 5829), divide(#0, 5735)"
    document = graded(gold, "program", f" {PROGRAM}\n", swapped, "divide(94, 0)", "I think 5")
    assert document["format"] == "text"
    assert counts(document["graders"]["official"]) == (1, 4)
    assert counts(document["program_accuracy"]) == (1, 4)
    assert counts(document["program_validity"]) == (2, 4)
    assert counts(document["answer_accuracy"]) == (1, 4)
    assert document["quirks"]["without_eof"] == 0


def test_an_id_may_end_as_a_turn_does(tmp_path: Path) -> None:
    records = [filings.finqa_record(n) | {"id": f"report_{n}"} for n in range(2)]
    gold = filings.write(tmp_path / "dev.json", records)
    (tmp_path / "p.jsonl").write_text('{"id": "report_1", "prediction": "94"}\n', "utf-8")
    words = ["grade", str(tmp_path / "p.jsonl"), "--gold", str(gold), "--as", "numerical", "--json"]
    document = json.loads(CliRunner().invoke(app, words).stdout)
    assert document["counts"]["submitted"] == 1


def test_scores_are_told_by_steps_operation_and_evidence(gold: Path) -> None:
    document = graded(gold, "program", PROGRAM, "add(1, 2)")
    assert {name: counts(one) for name, one in document["by_steps"].items()} == {"2": (1, 4)}
    assert set(document["by_operation"]) == {"subtract", "divide"}
    assert counts(document["by_evidence"]["table"]) == (1, 4)
    assert document["by_evidence"]["table"]["low"] <= 0.25


def test_numbers_and_answer_strings_are_graded_by_the_same_graders(gold: Path) -> None:
    numbers = graded(gold, "numerical", "0.01639", "1.639%", "0.0164", "about a tenth")
    assert counts(numbers["graders"]["official"]) == (2, 4)
    assert counts(numbers["answer_accuracy"]) == (3, 4)
    assert numbers["program_validity"] is None
    assert numbers["unit_accuracy"] is None
    answers = graded(gold, "answer", "1.6%", "1.6% increase", "1.5%", "")
    assert counts(answers["answer_accuracy"]) == (2, 4)
    assert answers["counts"]["without_answer"] == 1


@pytest.mark.parametrize(
    ("form", "prediction", "said"),
    [
        ("", PROGRAM, "--as program|numerical|answer"),
        ("programme", PROGRAM, "known are program, numerical, answer"),
        ("program", 5, "line 1: expected id and prediction"),
        ("program", None, "line 1: expected id and prediction"),
    ],
)
def test_a_mistake_is_one_line(gold: Path, form: str, prediction: object, said: str) -> None:
    with pytest.raises(CrossfootError) as caught:
        graded(gold, form, prediction)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_questions_without_predictions_are_told_as_such(gold: Path) -> None:
    questions = gold.with_name("questions.jsonl")
    questions.write_text(json.dumps({"id": "OURS/2016/page_1.pdf-0", "prompt": "?"}) + "\n")
    words = ["grade", str(questions), "--gold", str(gold)]
    assert "expected JSONL with id and prediction" in str(CliRunner().invoke(app, words).exception)


@given(st.text(max_size=200), st.sampled_from(FORMS))
def test_any_text_can_be_submitted(text: str, form: Form) -> None:
    submitted = submission_of(text, form)
    assert submitted == submission_of(text, form)
    assert submitted.answer is None or submitted.answer.unit in UNITS


def test_an_endless_program_is_wrong_and_no_more() -> None:
    assert submission_of("add(1, 2), " * 100_000, "program").program
