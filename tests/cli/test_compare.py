import json

import pytest
from typer.testing import CliRunner

from crossfoot.cli.main import app
from crossfoot.errors import DataError


def write_run(folder, verdicts):
    """A run of one turn a page; ``verdicts`` says which are right."""
    folder.mkdir()
    lines = [
        json.dumps(
            {
                "id": f"c{index}",
                "page": f"p{index}",
                "turn": 0,
                "answer": None,
                "verdict": {"correct": right, "error": None, "reason": ""},
            }
        )
        for index, right in enumerate(verdicts)
    ]
    (folder / "test_predictions.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return str(folder)


def compare(*arguments):
    return CliRunner().invoke(app, ["compare", *arguments])


def test_the_difference_is_paired_and_has_an_interval(tmp_path):
    first = write_run(tmp_path / "a", [True] * 30 + [False] * 10)
    second = write_run(tmp_path / "b", [False] * 40)
    document = json.loads(compare(first, second, "--json").stdout)
    assert document["turns"] == 40
    assert document["first"] == 0.75
    assert document["difference"] == 0.75
    assert 0.5 < document["low"] < 0.75 < document["high"] < 1
    assert document["p_value"] < 0.001


def test_a_run_does_not_differ_from_itself(tmp_path):
    run = write_run(tmp_path / "a", [True, False, True])
    document = json.loads(compare(run, run, "--json").stdout)
    assert (document["difference"], document["p_value"]) == (0.0, 1.0)


def test_the_line_for_people_names_both_runs(tmp_path):
    first = write_run(tmp_path / "a", [True, True])
    second = write_run(tmp_path / "b", [True, False])
    shown = compare(first, second).stdout.replace("\n", "")
    assert "difference +50.0%" in shown


def test_a_path_is_no_markup(tmp_path):
    run = write_run(tmp_path / "[bold]a[", [True])
    assert "[bold]a[: 100.0%" in compare(run, run).stdout.replace("\n", "")


def test_runs_on_different_turns_are_refused(tmp_path):
    first = write_run(tmp_path / "a", [True])
    second = write_run(tmp_path / "b", [True, False])
    error = compare(first, second).exception
    assert isinstance(error, DataError)
    assert "different turns (1 and 2)" in str(error)


def test_a_missing_run_is_refused(tmp_path):
    first = write_run(tmp_path / "a", [True])
    with pytest.raises(DataError, match="No such file"):
        CliRunner().invoke(app, ["compare", first, str(tmp_path / "no")], catch_exceptions=False)
