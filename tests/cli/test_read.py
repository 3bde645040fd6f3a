"""``crossfoot read``: turns of an evaluation as a person reads them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from crossfoot.cli.main import app
from crossfoot.cli.read import choose_turns
from crossfoot.errors import CrossfootError


def line(turn, error, *, name="debt", text="5879", content=""):
    called = {"name": "submit_answer", "arguments": {"value": text, "unit": "absolute"}}
    return {
        "id": name,
        "page": "debt.pdf",
        "turn": turn,
        "question": f"question {turn}?",
        "program": "6225.2",
        "gold": 6225.2,
        "unit": "absolute",
        "answer": {"value": float(text), "unit": "absolute", "text": text},
        "verdict": {"correct": error is None, "error": error, "reason": "as was seen"},
        "messages": [
            {"role": "user", "content": f"question {turn}?"},
            {
                "role": "assistant",
                "content": content,
                "tool_calls": [{"type": "function", "function": called}],
            },
        ],
    }


@pytest.fixture
def run(tmp_path):
    lines = [
        line(0, None, text="6225.2", content="Cells: total debt: 2016 = 6225.2"),
        line(1, "wrong_cell", content="Cells: [bold]debt[/bold]: 2015 = 5879"),
        line(0, "wrong_scale", name="cash"),
        line(1, "wrong_cell", name="cash"),
    ]
    text = "".join(json.dumps(each) + "\n" for each in lines)
    (tmp_path / "test_predictions.jsonl").write_text(text, "utf-8")
    return tmp_path


def read(run, *options):
    return CliRunner().invoke(app, ["read", str(run), *options], catch_exceptions=True)


def test_a_wrong_turn_is_shown_with_what_came_before_and_what_was_right(run):
    done = read(run, "--error", "wrong_cell", "--count", "9")
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stdout.split())
    assert shown.count("gold: 6225.2 by 6225.2") == 2
    assert "debt, turn 2 question 0? 6225.2 (right) question 1?" in shown
    assert "[bold]debt[/bold]: 2015 = 5879 answer: 5879 (absolute)" in shown
    assert "wrong_cell: as was seen" in shown


def test_classes_take_turns_and_right_ones_are_asked_for(run):
    done = read(run, "--count", "2")
    assert done.stdout.count("wrong_cell:") == done.stdout.count("wrong_scale:") == 1
    right = read(run, "--error", "correct")
    assert "total debt: 2016 = 6225.2" in right.stdout
    assert "as was seen" not in right.stdout


def test_a_question_that_was_answered_with_a_program_shows_it(tmp_path):
    program = "subtract(6225.2, 5879)"
    asked = [{"role": "system", "content": "Write a program."}]
    one = line(0, "other") | {"messages": asked, "answer": None}
    one |= {"target": "program", "prediction": program}
    (tmp_path / "test_predictions.jsonl").write_text(json.dumps(one) + "\n", "utf-8")
    done = read(tmp_path)
    assert done.exit_code == 0, done.output
    assert f"program: {program}" in done.stdout
    assert "no answer" not in done.stdout
    assert "Write a program" not in done.stdout


def test_the_choice_is_that_of_its_seed():
    classes = [[1, 2, 3, 4, 5], [6], [7, 8]]
    chosen = choose_turns(classes, 6, 3)
    assert chosen == choose_turns(classes, 6, 3)
    assert len(set(chosen)) == 6
    assert {chosen[1], chosen[0] in classes[0]} == {6, True}
    assert choose_turns([], 6, 3) == []
    assert len({tuple(choose_turns(classes, 6, seed)) for seed in range(9)}) > 1


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--error", "nonsense"), "there are wrong_cell, correct, wrong_scale"), ((), None)],
)
def test_what_cannot_be_read_ends_in_one_line(run, options, said):
    if said is None:
        right = line(0, None)
        (run / "test_predictions.jsonl").write_text(json.dumps(right) + "\n", "utf-8")
        said = "no wrong turn to read"
    error = read(run, *options).exception
    assert isinstance(error, CrossfootError)
    assert said in str(error)
