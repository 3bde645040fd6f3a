"""``crossfoot train``: what a person sees."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import workshop
from crossfoot.cli.main import app
from crossfoot.runs.folder import RunFolder


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """One training by the command line, and its folder."""
    folder = tmp_path_factory.mktemp("train")
    model = workshop.write_model(folder / "model")
    data = workshop.write_data(folder / "data")
    recipe = workshop.write_recipe(folder / "recipe.yaml", model)
    program = "from crossfoot.cli.main import run; run()"
    line = [sys.executable, "-c", program, "train", str(recipe), "trainer.max_steps=2"]
    line += ["--output", str(folder / "run")]
    environment = os.environ | {"CROSSFOOT_DATA": str(data)}
    return subprocess.run(line, env=environment, capture_output=True, text=True), folder


def test_progress_is_shown_on_stderr_and_nothing_on_stdout(result):
    done, _ = result
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for said in ("step 1 of 2: loss ", "step 2 of 2: loss ", "held-out loss ", "trained: "):
        assert said in done.stderr


def test_libraries_do_not_clutter_the_output(result):
    done, _ = result
    assert "warning" not in done.stderr.lower()
    assert len(done.stderr.splitlines()) <= 6


def test_output_names_the_run_folder(result):
    _, folder = result
    assert (folder / "run" / "final_model" / "adapter_model.safetensors").is_file()
    assert "max_steps: 2" in (folder / "run" / "recipe.yaml").read_text()


def test_a_second_training_into_the_folder_is_refused_in_one_line(result):
    _, folder = result
    program = "from crossfoot.cli.main import run; run()"
    line = [sys.executable, "-c", program, "train", str(folder / "recipe.yaml")]
    done = subprocess.run([*line, "--output", str(folder / "run")], capture_output=True, text=True)
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("crossfoot: ")
    assert "a finished run lies here" in said


def test_an_interruption_says_how_to_go_on(monkeypatch, tmp_path):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("crossfoot.training.train.train", interrupted)
    recipe = workshop.write_recipe(tmp_path / "recipe.yaml", tmp_path / "model")
    done = CliRunner().invoke(app, ["train", str(recipe), "--output", str(tmp_path / "run")])
    assert done.exit_code != 0
    assert "the same command with --resume goes on" in done.stderr


def test_four_bit_weights_train_through_the_command_line(tmp_path, monkeypatch):
    pytest.importorskip("bitsandbytes", reason="needs pip install 'crossfoot[quant]'")
    monkeypatch.setenv("CROSSFOOT_DATA", str(workshop.write_data(tmp_path / "data")))
    model = workshop.write_model(tmp_path / "model")
    recipe = workshop.write_recipe(tmp_path / "recipe.yaml", model, dtype="bfloat16")
    program = "from crossfoot.cli.main import run; run()"
    line = [sys.executable, "-c", program, "train", str(recipe), "adapter.method=qlora"]
    line += ["trainer.eval_strategy=steps", "trainer.eval_steps=2"]
    done = subprocess.run(
        [*line, "--output", str(tmp_path / "run")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "bitsandbytes" not in done.stderr  # nor any word of its kernels
    assert "kernels" not in done.stderr
    losses = [line["eval_loss"] for line in RunFolder(tmp_path / "run").read_lines("eval_loss.log")]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
