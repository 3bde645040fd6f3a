"""``crossfoot eval`` of single questions: by options, by a run's recipe, into its folder."""

from __future__ import annotations

import json
import shutil

import pytest

import filings
import workshop
from crossfoot.runs.folder import RunFolder
from crossfoot.training.recipe import load_recipe
from crossfoot.training.train import train

QUESTIONS = 4


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A tiny model, questions, and two runs: an adapter and all weights."""
    folder = tmp_path_factory.mktemp("workspace")
    workshop.write_model(folder / "model")
    records = [filings.finqa_record(number) for number in range(QUESTIONS)]
    records[3]["qa"] |= {"gold_inds": {}, "program": "add(7, 8)", "exe_ans": 15}
    for split in ("train", "dev"):
        filings.write(folder / "data" / "finqa" / f"{split}.json", records)
    filings.write(folder / "data" / "convfinqa" / "dev.json", [filings.convfinqa_record()])
    put = {"target": "program", "input": "noisy_gold", "text_distractors": 1, "batch_rows": 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSFOOT_DATA", str(folder / "data"))
        for name, method in (("lora", "lora"), ("full", "none")):
            recipe = workshop.recipe(
                folder / "model",
                data=[{"task": "finqa"}],
                validation={"conversations": 0},
                adapter={"method": method},
                generation={"max_new_tokens": 6},
                **put,
            )
            train(recipe, folder / name)
    return folder


@pytest.fixture
def crossfoot(crossfoot, monkeypatch, workspace, tmp_path):
    """Runs a command; its exit code, stdout and stderr."""
    monkeypatch.setenv("CROSSFOOT_DATA", str(workspace / "data"))
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return crossfoot


def records(folder):
    return RunFolder(folder).read_lines("test_predictions.jsonl")


@pytest.mark.parametrize("name", ["lora", "full"])
def test_a_run_is_evaluated_as_it_was_trained_and_in_its_own_folder(crossfoot, workspace, name):
    folder = workspace / name
    made = (folder / "environment.json").read_text()
    code, out, err = crossfoot("eval", folder, "--json")
    assert code == 0, err
    assert "1 questions without evidence are left out" in err
    document = json.loads(out)
    assert document == json.loads((folder / "test_metrics.json").read_text())
    assert (document["target"], document["input"]) == ("program", "noisy_gold")
    assert (document["history"], document["few_shot"]) == ("own", False)
    assert document["turns"] == 3
    assert document["evidence_recall"] == 1
    assert document["inference_latency_ms_p95"] > 0
    assert [one["completion_tokens"] <= 6 for one in records(folder)] == [True] * 3
    shown = records(folder)[0]["messages"][0]["content"]
    assert shown.count("cash paid") == 1
    timing = json.loads((folder / "timing.json").read_text())
    assert {"train_duration_seconds", "test_inference_seconds"} <= set(timing)
    assert (folder / "environment.json").read_text() == made
    assert "| official |" in (folder / "README.md").read_text()
    own = load_recipe(folder / "recipe.yaml").model
    full = name == "full"
    assert document["model"] == (str(folder / "final_model") if full else own)
    assert document["adapter"] == (None if full else str(folder / "final_model"))


def test_a_few_questions_are_no_result_of_the_run(crossfoot, workspace, tmp_path):
    before = {path: path.read_bytes() for path in workspace.joinpath("lora").glob("test_*")}
    code, out, err = crossfoot("eval", workspace / "lora", "--limit", 1, "--json")
    assert code == 0, err
    assert json.loads(out)["turns"] == 1
    assert {path: path.read_bytes() for path in before} == before
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-1")


def test_a_server_is_asked_for_a_model_by_the_name_that_it_knows(crossfoot, workspace):
    served = ("--engine", "remote", "--endpoint", "http://127.0.0.1:9/v1")
    for named in ((workspace / "lora",), ("finqa", "--adapter", workspace / "lora")):
        code, out, err = crossfoot("eval", *named, *served)
        assert (code, out) == (2, "")
        assert "give it with --model" in err


def test_weights_without_their_run_are_asked_for_what_they_write(crossfoot, workspace, tmp_path):
    shutil.copytree(workspace / "lora" / "final_model", tmp_path / "copied")
    code, out, err = crossfoot(
        *("eval", "finqa", "--model", workspace / "model", "--adapter", tmp_path / "copied"),
        *("--limit", 1, "--max-new-tokens", 6, "--json"),
    )
    assert code == 0, err
    assert json.loads(out)["target"] == "program"


def test_options_change_what_the_recipe_says(crossfoot, workspace, tmp_path):
    code, out, err = crossfoot(
        *("eval", "finqa", "--adapter", workspace / "lora", "--json", "--output", tmp_path / "x"),
        *("--target", "numerical", "--input", "retrieved", "--budget", 1, "--limit", 2),
    )
    assert code == 0, err
    document = json.loads(out)
    assert (document["target"], document["input"]) == ("numerical", "retrieved")
    assert {one["target"] for one in records(tmp_path / "x")} == {"numerical"}
    settings = json.loads((tmp_path / "x" / "evaluation.json").read_text())
    assert settings["single"]["context"]["budget"] == 1
    assert settings["limits"]["new_tokens"] == 6


@pytest.mark.parametrize(
    "options",
    [
        ("--target", "program", "--constrained", "--max-new-tokens", 40),
        ("--target", "answer", "--num-beams", 2),
        ("--target", "numerical", "--do-sample", "--temperature", 0.7, "--top-p", 0.9),
        ("--target", "program", "--prompt-style", "base"),
        ("--input", "gold", "--engine", "transformers"),
        ("--prompt", "chosen", "--line-prior", "--max-new-tokens", 20),
    ],
)
def test_a_model_alone_answers_in_every_way(crossfoot, workspace, tmp_path, options):
    def run(name):
        code, out, err = crossfoot(
            *("eval", "finqa", "--model", workspace / "model", "--output", tmp_path / name),
            *("--limit", 2, "--json", *options),
        )
        assert code == 0, err
        assert json.loads(out)["graders"]["official"]["total"] == 2
        return [(one["messages"], one["completion_tokens"]) for one in records(tmp_path / name)]

    assert run("one") == run("two")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "programme"), "field target: Input should be 'program'"),
        (("--input", "everything"), "field input"),
        (("--target", "program", "--budget", "0"), "field budget"),
        (("--top-p", "0.5"), "temperature and top_p are for samples"),
        (("--num-beams", "2", "--engine", "openvino"), "openvino decodes greedily"),
        (("--num-beams", "2", "--constrained"), "beams cannot be held to a format"),
        (("--num-beams", "2", "--line-prior"), "beams weigh no lines"),
        (("--line-prior",), "--line-prior weighs quoted lines, and this prompt asks for none"),
        (("--line-prior", "--target", "program", "--prompt", "chosen"), "asks for none"),
        (("--line-prior", "--prompt", "chosen", "--engine", "openvino"), "knows no --line-prior"),
        (("--target", "answer", "--constrained"), "answer strings have no format"),
        (("--prompt-style", "base"), "tool calls need a chat template"),
        (("--target", "program", "--few-shot"), "examples of calls"),
        (("--target", "program", "--max-new-tokens", "9000"), "do not fit the model's context"),
    ],
)
def test_a_mistake_is_one_line(crossfoot, workspace, tmp_path, options, said):
    code, out, err = crossfoot(
        *("eval", "finqa", "--model", workspace / "model", "--output", tmp_path / "run", *options)
    )
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert said in line


@pytest.mark.parametrize("task", ["runs/mistyped", "folder"])
def test_a_folder_without_a_recipe_is_no_run(crossfoot, tmp_path, task):
    (tmp_path / "folder").mkdir()
    code, _, err = crossfoot("eval", task)
    assert code == 2
    assert f"{task} is no run: it has no recipe.yaml" in err


def test_wrong_evidence_is_told_or_left_out(crossfoot, workspace, tmp_path, monkeypatch):
    wrong = [filings.finqa_record(1), filings.finqa_record(2, gold_inds={"table_9": "?"})]
    filings.write(tmp_path / "data" / "finqa" / "dev.json", wrong)
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "data"))
    evaluation = ["eval", "finqa", "--model", workspace / "model", "--output", tmp_path / "run"]
    evaluation += ["--target", "program", "--max-new-tokens", 4, "--json"]
    code, _, err = crossfoot(*evaluation)
    assert code == 2
    assert "field qa.gold_inds" in err
    code, out, err = crossfoot(*evaluation, "--skip-bad")
    assert code == 0, err
    assert "1 questions with wrong evidence are left out" in err
    assert json.loads(out)["turns"] == 1


def test_conversations_are_no_single_questions(crossfoot, workspace):
    code, _, err = crossfoot(
        *("eval", "convfinqa", "--model", workspace / "model", "--target", "program")
    )
    assert code == 2
    assert "for single questions: use finqa" in err
