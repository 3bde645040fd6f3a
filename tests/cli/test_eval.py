"""``crossfoot eval``: whole runs of a tiny model, killed ones, and users' mistakes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import filings
import tiny
from crossfoot.evaluation.evaluate import LATENCIES
from crossfoot.runs.folder import PREDICTIONS

CONVERSATIONS = 6
COMMAND = "from crossfoot.cli.main import run; run()"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny.save_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    records = [filings.convfinqa_record(n) for n in range(1, CONVERSATIONS + 1)]
    filings.write(folder / "convfinqa" / "dev.json", records)
    unlabelled = filings.finqa_record(1)
    del unlabelled["qa"]["exe_ans"]
    filings.write(folder / "finqa" / "dev.json", [filings.finqa_record(2), unlabelled])
    filings.write(folder / "finqa" / "test.json", [unlabelled])
    return folder


@pytest.fixture
def crossfoot(crossfoot, monkeypatch, data, tmp_path):
    """Runs a command; its exit code, stdout and stderr."""
    monkeypatch.setenv("CROSSFOOT_DATA", str(data))
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return crossfoot


def records(folder):
    return [json.loads(line) for line in (folder / PREDICTIONS).read_text("utf-8").splitlines()]


def without_times(found):
    return [{key: value for key, value in one.items() if key != "latency_ms"} for one in found]


def test_json_is_one_document_on_stdout_and_everything_else_on_stderr(crossfoot, model, tmp_path):
    code, out, err = crossfoot(
        "eval", "convfinqa", "--model", model, "--limit", 2, "--output", tmp_path / "run", "--json"
    )
    assert code == 0
    document = json.loads(out)
    official = document["graders"]["official"]
    assert set(official) == {"accuracy", "low", "high", "correct", "total"}
    assert official["total"] == 6
    assert 0 <= official["low"] <= official["accuracy"] <= official["high"] <= 1
    assert official["accuracy"] == official["correct"] / 6
    assert document["latency_file"] == LATENCIES
    assert document["inference_total_seconds"] > 0
    assert "written: " in err
    assert "Warning" not in err
    assert "Loading weights" not in err
    assert json.loads((tmp_path / "run" / "test_metrics.json").read_text()) == document
    latencies = (tmp_path / "run" / LATENCIES).read_text().splitlines()
    assert len(latencies) == len(records(tmp_path / "run")) == 6


def test_people_get_tables_and_the_run_lies_where_its_name_says(crossfoot, model, tmp_path):
    code, out, _ = crossfoot(
        "eval", "convfinqa", "--model", model, "--limit", 1, "--few-shot", "--history", "gold"
    )
    assert code == 0
    for part in ("official", "95% interval", "1 conversations, 3 turns", "previous turn", "errors"):
        assert part in out
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("eval-convfinqa-dev-")
    assert folder.name.endswith("-fewshot-gold-history-1")


def test_a_killed_run_goes_on_to_the_records_of_an_uninterrupted_one(
    crossfoot, model, data, tmp_path
):
    arguments = ["eval", "convfinqa", "--model", model, "--batch-size", "2"]
    code, out, _ = crossfoot(*arguments, "--output", tmp_path / "whole", "--json")
    assert code == 0
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments, "--output", str(killed)],
        env=os.environ | {"CROSSFOOT_DATA": str(data), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 300
    file = killed / PREDICTIONS
    while not (file.exists() and file.stat().st_size) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    begun = records(killed)
    assert 0 < len(begun) < 3 * CONVERSATIONS
    with file.open("a") as stream:
        stream.write('{"id": "Single_OURS/2016/pa')
    code, again, _ = crossfoot(*arguments, "--output", killed, "--json")
    assert code == 0
    assert without_times(records(killed)) == without_times(records(tmp_path / "whole"))
    assert records(killed)[: len(begun)] == begun
    first, second = json.loads(out), json.loads(again)
    assert first["graders"] == second["graders"]
    assert second["inference_total_seconds"] > 0


def test_a_folder_of_another_model_is_refused(crossfoot, model, tmp_path):
    arguments = ["eval", "convfinqa", "--limit", 1, "--output", tmp_path / "run", "--json"]
    assert crossfoot(*arguments, "--model", model)[0] == 0
    before = (tmp_path / "run" / PREDICTIONS).read_bytes()
    changed = tmp_path / "changed"
    tiny.llama(seed=1).save_pretrained(tiny.save_model(changed))
    code, out, err = crossfoot(*arguments, "--model", changed)
    assert (code, out) == (2, "")
    assert "model_sha256" in err
    assert "choose another --output" in err
    assert len(err.strip().splitlines()) == 1
    assert (tmp_path / "run" / PREDICTIONS).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["convfinka"], "did you mean convfinqa?"),
        (["convfinqa", "--split", "tset"], "split"),
        (["convfinqa", "--split", "train"], "no such file"),
        (["finqa", "--split", "test"], "has labels"),
        (["convfinqa", "--engine", "vllm"], "known are transformers"),
        (["convfinqa", "--history", "mine"], "known are own, gold"),
        (["convfinqa", "--prompt", "medium"], "should be 'short', 'long'"),
        (["convfinqa", "--model", "/no/such/model"], "no such model"),
        (["convfinqa", "--model", "/no/such/model", "--shards", "2"], "no such model"),
        (["convfinqa", "--limit", "1", "--adapter", "/no/such/adapter"], "no adapter here"),
    ],
)
def test_a_mistake_ends_in_one_line_and_exit_code_2(crossfoot, model, tmp_path, arguments, told):
    chosen = [] if "--model" in arguments else ["--model", model]
    code, out, err = crossfoot("eval", *arguments, *chosen, "--json")
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("crossfoot: ")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("option", [("--limit", "0"), ("--batch-size", "0"), ("--limit", "x")])
def test_an_impossible_number_is_a_usage_error(crossfoot, option):
    code, out, err = crossfoot("eval", "convfinqa", *option)
    assert (code, out) == (2, "")
    assert option[0] in err


def test_a_file_in_place_of_the_run_folder_is_refused(crossfoot, model, tmp_path):
    (tmp_path / "taken").write_text("mine")
    code, _, err = crossfoot(
        "eval", "convfinqa", "--model", model, "--limit", 1, "--output", tmp_path / "taken"
    )
    assert code == 2
    assert "a file stands where" in err
    assert (tmp_path / "taken").read_text() == "mine"


def test_conversations_without_labels_are_left_out_and_counted_aloud(crossfoot, model, tmp_path):
    code, out, err = crossfoot(
        "eval", "finqa", "--model", model, "--output", tmp_path / "run", "--json"
    )
    assert code == 0
    assert json.loads(out)["turns"] == 1
    assert "1 conversations without labels are left out" in err
