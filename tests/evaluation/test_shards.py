"""Evaluations over Ray workers: the records of one process, also when a worker is killed."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

import tiny
from crossfoot.agent.loop import Limits, Setting
from crossfoot.engines.build import Wanted, build_engine
from crossfoot.evaluation.evaluate import LATENCIES, evaluate, one_engine
from crossfoot.evaluation.predictions import read_predictions
from crossfoot.evaluation.shards import ray_workers
from crossfoot.runs.folder import PREDICTIONS, RunFolder
from crossfoot.tasks.base import Sample

pytest.importorskip("ray", reason="Ray is not installed: pip install 'crossfoot[ray]'")

SETTING = Setting(limits=Limits(replies=2, new_tokens=4))


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Workers are processes of their own, and import this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(tiny.__file__).parent))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny.save_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def samples():
    """The first conversations are the longest, so that later batches are finished before them."""
    whole = tiny.sample()
    turns = (4, 4, 1, 1, 1, 1, 1)
    return [Sample(f"ours-{n}", whole.page, whole.turns[:t]) for n, t in enumerate(turns)]


@pytest.fixture(scope="module")
def alone(model, samples, tmp_path_factory):
    """The records of one process."""
    folder = tmp_path_factory.mktemp("alone")
    run(samples, one_engine(build_engine("transformers", Wanted(model))), folder)
    return records(folder)


def run(samples, runner, folder, **options):
    source = {"task": "ours"}
    return evaluate(
        samples, runner, RunFolder(folder), setting=SETTING, source=source, batch_size=2, **options
    )


def records(folder):
    return [p.model_dump(exclude={"latency_ms"}) for p in read_predictions(folder / PREDICTIONS)]


def build_and_note(model, folder):
    """The tiny model's engine; the process that loads it leaves its number in ``folder``."""
    (Path(folder) / str(os.getpid())).touch()
    return build_engine("transformers", Wanted(model))


def test_two_workers_give_the_records_of_one_process(model, samples, alone, tmp_path):
    (tmp_path / "pids").mkdir()
    done = []
    with ray_workers(partial(build_and_note, model, tmp_path / "pids"), 2) as runner:
        run(samples, runner, tmp_path / "run", progress=lambda n, total: done.append((n, total)))
    assert records(tmp_path / "run") == alone
    assert len(list((tmp_path / "pids").iterdir())) == 2
    assert done[0] == (0, 7)
    assert done[-1] == (7, 7)
    assert len((tmp_path / "run" / LATENCIES).read_text().splitlines()) == len(alone)


def test_a_killed_worker_loses_nothing(model, samples, alone, tmp_path):
    (tmp_path / "pids").mkdir()
    killed = []

    def kill_one(done, total):
        if done and not killed:
            killed.append(int(next((tmp_path / "pids").iterdir()).name))
            os.kill(killed[0], signal.SIGKILL)

    with ray_workers(partial(build_and_note, model, tmp_path / "pids"), 2) as runner:
        run(samples, runner, tmp_path / "run", progress=kill_one)
    assert killed
    assert records(tmp_path / "run") == alone
