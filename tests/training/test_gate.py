"""The base model is asked before a training where the recipe says so."""

from __future__ import annotations

import pytest

import filings
import workshop
from crossfoot.errors import RecipeError
from crossfoot.models.loading import count_parameters
from crossfoot.models.shapes import SHAPES
from crossfoot.runs.folder import RunFolder
from crossfoot.training import gate
from crossfoot.training.fitting import config_of, larger_model
from crossfoot.training.train import train


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    workshop.write_model(tmp_path / "model")
    records = [filings.finqa_record(number) for number in range(3)]
    filings.write(tmp_path / "data" / "finqa" / "train.json", records)
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "data"))

    def made(**changes):
        return workshop.recipe(
            tmp_path / "model",
            data=[{"task": "finqa"}],
            target="program",
            input="gold",
            validation={"conversations": 0},
            generation={"max_new_tokens": 4},
            trainer={"max_steps": 1},
            **changes,
        )

    return made


def test_a_model_that_answers_nothing_is_stopped_and_leaves_no_folder(recipe, tmp_path):
    with pytest.raises(RecipeError) as error:
        train(recipe(gate="stop"), tmp_path / "run")
    line = str(error.value)
    assert "the base model answers 0 of 3 turns right, under 2%" in line
    assert "larger" in line
    assert not (tmp_path / "run").exists()


def test_a_warning_goes_on(recipe, tmp_path):
    said = []
    train(recipe(gate="warn", gate_sample=2), tmp_path / "run", say=said.append)
    assert any("answers 0 of 2 turns right, under 2%" in line for line in said)
    assert (tmp_path / "run" / "final_model").is_dir()
    assert RunFolder(tmp_path / "run").read_json("gate.json") == {"turns": 2, "correct": 0}


def test_nobody_asks_unless_told(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "ask", lambda *_: pytest.fail("asked"))
    train(recipe(), tmp_path / "run")
    assert not (tmp_path / "run" / "gate.json").exists()


def test_a_model_that_knows_something_passes(recipe, monkeypatch):
    monkeypatch.setattr(gate, "ask", lambda *_: gate.Gate(50, 1))
    said = []
    passed = gate.pass_gate(recipe(gate="stop"), None, None, [], said.append)
    assert passed.accuracy == gate.LEAST
    assert said == ["the base model answers 1 of 50 turns right"]


@pytest.mark.parametrize(("method", "bytes_each"), [("none", 17), ("lora", 3), ("qlora", 1.5)])
def test_the_larger_model_is_the_largest_that_the_method_could_train(method, bytes_each):
    def larger(than, free):
        asked = workshop.recipe(than, adapter={"method": method})
        return larger_model(asked, int(free))

    sizes = {name: count_parameters(config_of(name)) for name in SHAPES}
    assert 3.0e9 < sizes["Qwen/Qwen2.5-Coder-3B-Instruct"] < 3.2e9
    assert 0.9e9 < sizes["google/gemma-3-1b-it"] < 1.1e9
    assert 4.2e9 < sizes["google/gemma-3-4b-it"] < 4.4e9
    small = "Qwen/Qwen2.5-0.5B-Instruct"
    assert larger("nowhere/at-all", 1.02 * bytes_each * sizes[small]) == small
    assert larger("nowhere/at-all", 0.98 * bytes_each * sizes[small]) is None
    best = max(sizes, key=lambda name: sizes[name])
    assert larger(small, 10**12) == best
    assert larger(best, 10**12) is None
