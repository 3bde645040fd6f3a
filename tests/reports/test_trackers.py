"""Trackers, offline and for real: a training and its evaluation are read back from each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

import filings
import workshop
from crossfoot.errors import RecipeError
from crossfoot.reports import trackers
from crossfoot.training.sections import Tracking

SECRET = "0123456789abcdef0123456789abcdef01234567"
ALL = ["wandb", "tensorboard", "trackio"]
installed = pytest.mark.skipif(
    any(find_spec(name) is None for name in ALL), reason="needs the extra track"
)
COMMAND = "from crossfoot.cli.main import run; run()"


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A folder in which a run was trained and evaluated with every tracker, in its own process."""
    folder = tmp_path_factory.mktemp("tracked")
    workshop.write_model(folder / "model")
    records = [filings.finqa_record(number) for number in range(3)]
    for split in ("train", "dev"):
        filings.write(folder / "data" / "finqa" / f"{split}.json", records)
    workshop.write_recipe(
        folder / "recipe.yaml",
        folder / "model",
        data=[{"task": "finqa"}],
        target="program",
        input="gold",
        validation={"conversations": 0},
        generation={"max_new_tokens": 4},
        tracking={"report_to": ALL, "project": "lab"},
        trainer={"num_train_epochs": 2},
    )
    own = {"TRACKIO_DIR": str(folder / "trackio"), "CROSSFOOT_DATA": str(folder / "data")}
    secret = {"WANDB_API_KEY": SECRET, "HF_HUB_OFFLINE": "1"}
    for words in (("train", "recipe.yaml", "--output", "run"), ("eval", "run")):
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *words],
            cwd=folder,
            env={**os.environ, **own, **secret},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
    return folder


@installed
def test_tensorboard_has_losses_metrics_and_the_latency_histogram(tracked):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tracked / "run" / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "test/execution_accuracy", "timing/train_duration_seconds"} <= set(
        tags["scalars"]
    )
    assert tags["histograms"] == ["test/inference_latency_ms"]
    (histogram,) = events.Histograms("test/inference_latency_ms")
    assert histogram.histogram_value.num == 3


@installed
def test_weights_and_biases_keeps_two_offline_runs(tracked):
    """Their records are protocol buffers, in which names stand as they are."""
    paths = (tracked / "run" / "wandb").glob("offline-run-*/*.wandb")
    training, test = sorted((path.read_bytes() for path in paths), key=lambda b: b"run-test" in b)
    assert b"train/loss" in training
    for said in (b"test/execution_accuracy", b"timing/train_duration_seconds", b"histogram"):
        assert said in test
    assert b"test/inference_latency_ms" in test


@installed
def test_trackio_keeps_both_runs_in_its_own_folder(tracked):
    import sqlite3

    (path,) = (tracked / "trackio").glob("lab*.db")
    with sqlite3.connect(path) as database:
        lines = database.execute("select run_name, metrics from metrics").fetchall()
    metrics = {}
    for name, text in lines:
        metrics.setdefault(name, {}).update(json.loads(text))
    assert set(metrics) == {"run", "run-test"}
    assert "train/loss" in metrics["run"]
    assert metrics["run-test"]["test/inference_latency_ms"]["_type"] == "trackio.histogram"


@installed
def test_no_key_reaches_a_run_folder(tracked):
    for path in (tracked / "run").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_tracker_that_is_not_installed_is_told_before_anything_starts(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"wandb is not installed; pip install 'crossfoot\[track"):
        trackers.check_trackers(Tracking(report_to=["wandb"]))


def test_numbers_are_named_by_their_path():
    document = {"test": {"a": {"b": 1, "c": [2]}, "d": "text", "e": True, "f": None, "g": 0.5}}
    assert dict(trackers._scalars(document)) == {"test/a/b": 1.0, "test/g": 0.5}
