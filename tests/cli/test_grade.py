"""``crossfoot grade``: every grader side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossfoot.arithmetic.program import tokenize
from crossfoot.cli.main import app
from crossfoot.errors import DataError

TABLE = [["", "2016", "2015"], ["revenue", "$ 10,000", "8,000"]]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two questions, one of them answered, by a scale of 100."""
    records = [
        {
            "id": f"T/2016/page_{number}.pdf-1",
            "filename": f"T/2016/page_{number}.pdf",
            "pre_text": ["in millions"],
            "post_text": ["note"],
            "table": TABLE,
            "qa": {
                "question": "what was the growth rate of revenue?",
                "program": "subtract(10000, 8000), divide(#0, 8000)",
                "exe_ans": 0.25,
                "answer": "25%",
                "gold_inds": {},
            },
        }
        for number in range(2)
    ]
    program = "subtract(10000, 8000), divide(#0, 8000), multiply(#1, 100)"
    gold, predictions = tmp_path / "gold.json", tmp_path / "predictions.json"
    gold.write_text(json.dumps(records))
    predictions.write_text(
        json.dumps([{"id": records[0]["id"], "predicted": list(tokenize(program))}])
    )
    return str(predictions), str(gold)


def test_json_has_every_grader_with_interval_and_counts(files: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["grade", files[0], "--gold", files[1], "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["task"] == "finqa"
    assert document["counts"] == {
        "gold": 2,
        "submitted": 1,
        "missing": 1,
        "without_answer": 0,
        "unlabelled": 0,
    }
    official, scale_aware = document["graders"]["official"], document["graders"]["scale_aware"]
    assert (official["accuracy"], official["correct"], official["total"]) == (0.0, 0, 2)
    assert (scale_aware["accuracy"], scale_aware["submitted_accuracy"]) == (0.5, 1.0)
    assert scale_aware["low"] <= 0.5 <= scale_aware["high"]
    assert document["errors"] == {"no_answer": 1, "wrong_scale": 1}


def test_table_shows_graders_and_both_denominators(files: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["grade", files[0], "--gold", files[1]])
    assert result.exit_code == 0
    for word in ("official", "scale_aware", "program accuracy", "50.00", "100.00"):
        assert word in result.stdout


def test_missing_gold_file_is_an_error_for_people(files: tuple[str, str], tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.json")
    result = CliRunner().invoke(app, ["grade", files[0], "--gold", absent])
    assert isinstance(result.exception, DataError)
    assert "absent.json" in str(result.exception)
