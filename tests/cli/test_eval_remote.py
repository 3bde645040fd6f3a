"""``crossfoot eval --engine remote``: whole evaluations through a server, and interrupted ones."""

import json
import subprocess
import sys
import threading

import pytest

import faulty
import filings
from crossfoot.engines import endpoint
from crossfoot.runs.folder import PREDICTIONS
from scripted import submitted

CONVERSATIONS = 4
TURNS = 3 * CONVERSATIONS
KEY = "sk-very-secret"


@pytest.fixture
def crossfoot(crossfoot, monkeypatch, tmp_path):
    """Runs an evaluation; its exit code, stdout and stderr."""
    records = [filings.convfinqa_record(n) for n in range(1, CONVERSATIONS + 1)]
    filings.write(tmp_path / "data" / "convfinqa" / "dev.json", records)
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CROSSFOOT_API_KEY", KEY)
    monkeypatch.setattr(endpoint, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE", 0.05)
    monkeypatch.chdir(tmp_path)

    def run(address, *arguments, model=faulty.MODEL):
        words = ["eval", "convfinqa", "--engine", "remote", "--model", model]
        words += ["--endpoint", address, "--batch-size", "2", "--json"]
        return crossfoot(*words, *arguments)

    return run


def reply(handler, request):
    """Right in the first turn, wrong in the others."""
    asked = sum(message["role"] == "user" for message in request["messages"])
    faulty.message(submitted("5829" if asked == 1 else "7"))(handler, request)


def records(folder):
    found = [json.loads(line) for line in (folder / PREDICTIONS).read_text("utf-8").splitlines()]
    return [{key: value for key, value in one.items() if key != "latency_ms"} for one in found]


def after(replies, then):
    """Replies, that many times; after that what ``then`` does."""
    left = [replies]
    lock = threading.Lock()

    def answer(handler, request):
        with lock:
            left[0] -= 1
            over = left[0] < 0
        (then if over else reply)(handler, request)

    return answer


def test_an_evaluation_through_a_server_keeps_its_address_and_no_key(crossfoot, tmp_path):
    with faulty.serving(reply) as server:
        code, out, err = crossfoot(server.address, "--output", tmp_path / "run")
    assert code == 0, err
    document = json.loads(out)
    assert document["graders"]["official"]["correct"] == CONVERSATIONS
    assert document["graders"]["official"]["total"] == TURNS
    assert document["endpoint"] == f"127.0.0.1:{server.port}"
    assert (document["engine"], document["model"]) == ("remote", faulty.MODEL)
    assert document["adapter"] is None
    for path in (tmp_path / "run").iterdir():
        assert KEY not in path.read_text("utf-8")
    assert KEY not in out + err


def test_a_server_that_goes_away_leaves_what_is_finished_and_the_run_goes_on(
    crossfoot, tmp_path, monkeypatch
):
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 0.3)
    with faulty.serving(reply) as server:
        assert crossfoot(server.address, "--output", tmp_path / "whole")[0] == 0
        port = server.port
    with faulty.serving(after(8, faulty.hang_up), port=port) as server:
        code, out, err = crossfoot(server.address, "--output", tmp_path / "cut")
    assert (code, out) == (2, "")
    assert "run the same command again" in err
    assert len(err.strip().splitlines()[-1]) > 0
    begun = records(tmp_path / "cut")
    assert len(begun) == TURNS / 2
    with faulty.serving(reply, port=port) as server:
        code, _, err = crossfoot(server.address, "--output", tmp_path / "cut")
        assert code == 0, err
        assert len(server.seen) == TURNS / 2
    assert records(tmp_path / "cut") == records(tmp_path / "whole")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (faulty.raw(b"<!DOCTYPE html><html>Welcome!</html>"), "does not answer as an OpenAI"),
        (faulty.raw(b'{"model": "tuned", "choi'), "does not answer as an OpenAI"),
        (faulty.body(faulty.completion("so", model="base")), "answers as 'base'"),
        (faulty.body({"detail": "no such route"}, 404), "answered 404: no such route"),
    ],
    ids=["html", "cut", "model", "404"],
)
def test_a_server_that_turns_wrong_leaves_what_is_finished(crossfoot, tmp_path, fault, told):
    with faulty.serving(after(8, fault)) as server:
        code, out, err = crossfoot(server.address, "--output", tmp_path / "run")
    assert (code, out) == (2, "")
    assert told in err.splitlines()[-1]
    assert len(records(tmp_path / "run")) == TURNS / 2


def test_a_restart_in_the_middle_is_not_noticed(crossfoot, tmp_path):
    restarted = []
    first = faulty.Server(after(8, lambda handler, request: stop(handler)))

    def stop(handler):
        handler.close_connection = True
        if not restarted:
            restarted.append(None)
            threading.Thread(target=restart).start()

    def restart():
        first.stop()
        restarted[0] = faulty.Server(reply, port=first.port)

    code, _, err = crossfoot(first.address, "--output", tmp_path / "run")
    assert code == 0, err
    assert len(records(tmp_path / "run")) == TURNS
    assert len(restarted[0].seen) >= 4
    restarted[0].stop()


def test_another_server_or_model_is_another_run(crossfoot, tmp_path):
    def other(handler, request):
        faulty.body(faulty.completion("so", model="other"))(handler, request)

    with faulty.serving(reply) as server:
        assert crossfoot(server.address, "--output", tmp_path / "run")[0] == 0
    with faulty.serving(reply) as server:
        code, _, err = crossfoot(server.address, "--output", tmp_path / "run")
        assert code == 2
        assert "(endpoint differ)" in err
    with faulty.serving(other) as server:
        code, _, err = crossfoot(server.address, "--output", tmp_path / "run", model="other")
        assert code == 2
        assert "endpoint, model differ" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--adapter", "runs/mine"], "--adapter is the server's to decide"),
        (["--constrained"], "--constrained is the server's to decide"),
        (["--engine", "transformers"], "--endpoint is of no use to transformers"),
        (["--engine", "transformer"], "known are transformers, openvino, remote"),
    ],
)
def test_options_that_do_not_go_together_end_in_one_line(crossfoot, tmp_path, arguments, told):
    with faulty.serving(reply) as server:
        code, out, err = crossfoot(server.address, *arguments)
        assert server.seen == []
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_server_that_is_not_there_ends_in_one_line(crossfoot, tmp_path):
    port = faulty.unused_port()
    code, out, err = crossfoot(f"http://127.0.0.1:{port}/v1", "--output", tmp_path / "run")
    assert (code, out) == (2, "")
    assert "is the server running" in err.splitlines()[-1]


def test_neither_torch_nor_a_tokenizer_is_needed(crossfoot, tmp_path):
    """In a process of its own, in which they cannot be imported."""
    blocked = ("torch", "transformers", "safetensors", "tokenizers", "peft")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); "
        "from crossfoot.cli.main import run; run()"
    )
    with faulty.serving(reply) as server:
        command = ["eval", "convfinqa", "--endpoint", server.address, "--model", faulty.MODEL]
        done = subprocess.run(
            [sys.executable, "-c", code, *command, "--output", str(tmp_path / "run")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / "run")) == 3 * CONVERSATIONS
