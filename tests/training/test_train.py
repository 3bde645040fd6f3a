"""A training from recipe to run folder: what it leaves, what it refuses, how it goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

import families
import filings
import tiny
import workshop
from crossfoot.chat.template import Chat
from crossfoot.errors import CrossfootError, ModelError, RecipeError
from crossfoot.models.card import model_card
from crossfoot.models.loading import load_adapter, load_model
from crossfoot.models.prompts import PROMPT
from crossfoot.runs.folder import RunFolder
from crossfoot.tasks.registry import load_task
from crossfoot.training.data import build_trees, load_data
from crossfoot.training.recipe import CHECKPOINTING
from crossfoot.training.train import train

SECRET = "hf_TheTokenOfTheTest"
WEIGHTS = Path("final_model") / "adapter_model.safetensors"
WITHOUT_TIMES = ("step", "loss", "grad_norm", "learning_rate", "epoch", "eval_loss")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory) -> Path:
    """A folder with a tiny model and tiny data."""
    folder = tmp_path_factory.mktemp("workspace")
    workshop.write_model(folder / "model")
    workshop.write_data(folder / "data")
    return folder


@pytest.fixture(autouse=True)
def _data(workspace, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(workspace / "data"))


@pytest.fixture(scope="session")
def finished(workspace) -> RunFolder:
    """An uninterrupted training with secrets in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSFOOT_DATA", str(workspace / "data"))
        for name in ("HF_TOKEN", "WANDB_API_KEY", "OPENAI_API_KEY"):
            patch.setenv(name, SECRET)
        return train(workshop.recipe(workspace / "model"), workspace / "finished")


def logged(run: RunFolder) -> list[dict[str, float]]:
    """Metrics without times."""
    lines = run.read_lines("metrics.jsonl")
    return [{key: line[key] for key in WITHOUT_TIMES if key in line} for line in lines]


def test_the_run_folder_holds_every_file_of_a_training(finished):
    names = {path.name for path in finished.path.iterdir()}
    assert names == {
        "recipe.yaml",
        "args.json",
        "environment.json",
        "data.json",
        "metrics.jsonl",
        "train_loss.log",
        "eval_loss.log",
        "timing.json",
        "final_model",
        "README.md",
    }
    timing = finished.read_json("timing.json")
    assert timing["train_duration_seconds"] > 0
    assert timing["eval_duration_seconds"] > 0
    arguments = finished.read_json("args.json")
    assert (arguments["learning_rate"], arguments["target"], arguments["input"]) == (
        0.01,
        "tool",
        "all",
    )
    assert finished.read_json("environment.json")["packages"]["peft"]


def test_every_step_is_logged_once_and_the_loss_falls(finished):
    losses = finished.read_lines("train_loss.log")
    assert [line["step"] for line in losses] == [1, 2, 3, 4, 5, 6]
    assert losses[-1]["loss"] < losses[0]["loss"]
    assert [line["step"] for line in finished.read_lines("metrics.jsonl")] == [1, 2, 3, 4, 5, 6, 6]
    (held_out,) = finished.read_lines("eval_loss.log")
    assert held_out["eval_loss"] == finished.read_json("timing.json")["eval_loss"]


def test_no_key_of_the_environment_reaches_the_run_folder(finished):
    files = [path for path in finished.path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_the_resolved_recipe_trains_the_same_again(finished, workspace):
    document = yaml.safe_load((finished.path / "recipe.yaml").read_text())
    assert document["max_tokens"] == 4096
    assert type(workshop.recipe(workspace / "model")).model_validate(document) == workshop.recipe(
        workspace / "model"
    )


def test_the_way_of_sharing_is_told_and_recorded(workspace, tmp_path):
    said = []
    recipe = workshop.recipe(workspace / "model", trainer={"max_steps": 1})
    run = train(recipe, tmp_path / "run", say=said.append)
    assert said[0] == "shared prefixes: each page once, its conversations as branches of a tree"
    assert said[1] == f"trained: {run.path}"
    assert run.read_json("data.json")["way"] == "tree"


def test_pages_held_out_for_validation_are_never_trained_on(workspace):
    data = load_data(
        workshop.recipe(
            workspace / "model", data=[{"task": "convfinqa"}, {"task": "convfinqa", "limit": 6}]
        )
    )
    held_out = {sample.page.page_id for sample in data.validation}
    assert len(data.validation) == 2
    assert {sample.page.page_id for sample in data.train}.isdisjoint(held_out)
    assert len(data.train) == 8


def test_conversations_drawn_on_a_page_join_those_it_has(tmp_path, monkeypatch):
    record = filings.convfinqa_record(1)
    record["table"] += [["costs", "4000", "3900"], ["taxes", "20", "30"]]
    filings.write(tmp_path / "convfinqa" / "train.json", [record])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    recipe = workshop.recipe(
        tmp_path,
        data=[{"task": "convfinqa", "drawn": 3}],
        validation={"conversations": 0},
        prompt="grounded",
    )
    first, *drawn = load_data(recipe).train
    assert first.sample_id == record["id"]
    assert [sample.page for sample in drawn] == [first.page] * 3
    trees = build_trees(load_data(recipe).train, Chat(tiny.tokenizer()), recipe)
    assert len(trees.trees) == 1
    assert trees.tokens * 4 < trees.row_tokens


def test_a_page_of_two_parts_is_drawn_on_once(tmp_path, monkeypatch):
    record = filings.convfinqa_record(1)
    record["table"] += [["costs", "4000", "3900"], ["taxes", "20", "30"]]
    filings.write(tmp_path / "convfinqa" / "train.json", [record])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    part = {"task": "convfinqa", "drawn": 3}
    recipe = workshop.recipe(tmp_path, data=[part, part], validation={"conversations": 0})
    assert len(load_data(recipe).train) == 2 + 3


def test_rescaled_conversations_come_beside_their_own(tmp_path, monkeypatch):
    record = filings.convfinqa_record(1)
    record["pre_text"] = ["our results ( in millions ) ."]
    filings.write(tmp_path / "convfinqa" / "train.json", [record])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    part = {"task": "convfinqa", "rescaled": True}
    recipe = workshop.recipe(tmp_path, data=[part], validation={"conversations": 0})
    own, other = load_data(recipe).train
    assert [turn.question for turn in own.turns] == [turn.question for turn in other.turns]
    assert own.page.table != other.page.table


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Data of one conversation, and an evaluation of it whose first turn was wrong."""
    record = filings.convfinqa_record(1)
    filings.write(tmp_path / "convfinqa" / "train.json", [record])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    run = RunFolder(tmp_path / "evaluation")
    run.create()
    run.write_json("evaluation.json", {"form": "short", "history": "own", "few_shot": False})
    wrong = {"role": "assistant", "content": "no idea"}
    lines = [
        {
            "id": record["id"],
            "page": "OURS/2016/page_1.pdf",
            "turn": turn,
            "answer": None,
            "verdict": {"correct": turn > 0},
            "messages": [{"role": "user", "content": question}, wrong],
        }
        for turn, question in enumerate(record["annotation"]["dialogue_break"])
    ]
    run.append_lines("test_predictions.jsonl", lines)
    return run.path


def with_corrections(folder, **changes):
    part = {"task": "convfinqa", "corrections": str(folder)}
    return workshop.recipe(
        folder, **{"data": [part], "validation": {"conversations": 0}, "prompt": "short", **changes}
    )


def test_turns_after_a_wrong_one_are_trained_on_as_they_were_said(evaluated):
    recipe = with_corrections(evaluated)
    data, chat = load_data(recipe), Chat(tiny.tokenizer())
    with_them = build_trees(data.train, chat, recipe, data.told)
    without = build_trees(data.train, chat, recipe)
    assert (without.rows, with_them.rows) == (5, 5 + 4)
    assert len(with_them.trees) == 1


def test_corrections_of_another_form_or_other_conversations_are_refused(evaluated):
    with pytest.raises(RecipeError, match=r"data\.0\.corrections: .* has form short, not grounded"):
        load_data(with_corrections(evaluated, prompt="grounded"))
    other = filings.convfinqa_record(2)
    filings.write(evaluated.parent / "convfinqa" / "train.json", [other])
    with pytest.raises(RecipeError, match="no turn of these conversations"):
        load_data(with_corrections(evaluated))


def test_conversations_that_compare_can_be_left_out(tmp_path, monkeypatch):
    compares = filings.convfinqa_record(1)
    looks_up = filings.convfinqa_record(
        2,
        dialogue_break=["revenue in 2016?"],
        turn_program=["5829"],
        exe_ans_list=[5829],
        qa_split=[0],
    )
    filings.write(tmp_path / "convfinqa" / "train.json", [compares, looks_up])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    part = {"task": "convfinqa", "booleans": False}
    recipe = workshop.recipe(tmp_path, data=[part], validation={"conversations": 0})
    assert [sample.sample_id for sample in load_data(recipe).train] == [looks_up["id"]]


def test_a_conversation_whose_numbers_are_not_on_its_page_is_left_out(tmp_path, monkeypatch):
    whole, partial = filings.convfinqa_record(1), filings.convfinqa_record(2)
    partial["table"] = partial["table"][:1]
    filings.write(tmp_path / "convfinqa" / "train_partial.json", [whole, partial])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path))
    recipe = workshop.recipe(
        tmp_path,
        data=[{"task": "convfinqa", "split": "train_partial"}],
        validation={"conversations": 0},
    )
    data = load_data(recipe)
    assert [sample.sample_id for sample in data.train] == [whole["id"]]
    assert data.unusable == {"with a number that is not on the page": 1}


def test_the_held_out_conversations_are_named(finished):
    data = finished.read_json("data.json")
    assert len(data["validation_ids"]) == 2
    assert data["train"]["trees"] == 4
    assert data["train"]["rows"] == 4 * 5
    assert data["validation"]["trees"] == 2
    assert data["train"]["left_out"] == []


def test_the_adapter_loads_and_changes_the_model(finished, workspace):
    base = load_model(str(workspace / "model"), dtype="float32")
    ids = torch.tensor([[5, 6, 7]])
    before = base(ids).logits
    assert not torch.allclose(load_adapter(base, finished.path / "final_model")(ids).logits, before)


def test_a_finished_run_is_not_overwritten(finished, workspace):
    before = (finished.path / WEIGHTS).read_bytes()
    for resume in (False, True):
        with pytest.raises(RecipeError, match="a finished run lies here"):
            train(workshop.recipe(workspace / "model"), finished.path, resume=resume)
    assert (finished.path / WEIGHTS).read_bytes() == before


def command(workspace: Path, output: Path, *options: str) -> list[str]:
    path = workshop.write_recipe(workspace / "recipe.yaml", workspace / "model")
    program = "from crossfoot.cli.main import run; run()"
    line = [sys.executable, "-c", program, "train", str(path), "--output", str(output)]
    return [*line, *options]


@pytest.fixture(scope="session")
def killed(workspace) -> RunFolder:
    """A training by the command line that was killed after its third step."""
    run = RunFolder(workspace / "killed")
    slow = (
        "import time, crossfoot.training.sft as sft\n"
        "loss = sft.tree_loss\n"
        "def slow(*trees, **how): time.sleep(0.2); return loss(*trees, **how)\n"
        "sft.tree_loss = slow\n"
    )
    line = command(workspace, run.path)
    line[2] = slow + line[2]
    environment = os.environ | {"CROSSFOOT_DATA": str(workspace / "data"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
    try:
        while len(run.read_lines("train_loss.log")) < 3:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return run


def test_a_killed_run_leaves_a_checkpoint_and_no_final_model(killed):
    checkpoint = killed.path / "checkpoints" / "checkpoint-2"
    assert (checkpoint / "trainer_state.json").is_file()
    assert (checkpoint / PROMPT).is_file()
    assert not (killed.path / "final_model").exists()


def test_an_unfinished_run_goes_on_only_when_asked_to(killed, workspace):
    with pytest.raises(RecipeError, match="an unfinished run lies here; add --resume"):
        train(workshop.recipe(workspace / "model"), killed.path)
    other = workshop.recipe(workspace / "model", max_tokens=4000)
    with pytest.raises(RecipeError, match=r"started with another recipe \(max_tokens differ\)"):
        train(other, killed.path, resume=True)


def test_a_resumed_run_ends_as_an_uninterrupted_one(killed, workspace):
    # What a kill in the middle of writing leaves: half a checkpoint, half a line.
    half = killed.path / "checkpoints" / "checkpoint-4"
    half.mkdir(exist_ok=True)
    (half / "trainer_state.json").write_text('{"global_st')
    with (killed.path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 4, "lo')
    environment = os.environ | {"CROSSFOOT_DATA": str(workspace / "data"), "OMP_NUM_THREADS": "1"}
    whole = RunFolder(workspace / "whole")
    for line in (command(workspace, killed.path, "--resume"), command(workspace, whole.path)):
        subprocess.run(line, env=environment, check=True, capture_output=True)
    assert (killed.path / WEIGHTS).read_bytes() == (whole.path / WEIGHTS).read_bytes()
    assert logged(killed) == logged(whole)
    for name in ("train_loss.log", "eval_loss.log", "data.json", "recipe.yaml"):
        assert (killed.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert not (killed.path / "checkpoints").exists()
    seconds = [line["seconds"] for line in killed.read_lines("metrics.jsonl")]
    assert seconds == sorted(seconds)


def test_a_run_killed_before_its_first_checkpoint_starts_again(workspace, finished):
    run = RunFolder(workspace / "early")
    recipe = workshop.recipe(workspace / "model")
    run.write_text("recipe.yaml", yaml.safe_dump(recipe.model_dump()))
    run.append_lines("metrics.jsonl", [{"step": 1, "loss": 9.0, "seconds": 1.0}])
    train(recipe, run.path, resume=True)
    assert logged(run) == logged(finished)


def test_an_interrupted_training_keeps_its_checkpoints(workspace):
    def interrupt(step, steps, measured):
        if step == 3:
            raise KeyboardInterrupt

    output = workspace / "interrupted"
    with pytest.raises(KeyboardInterrupt):
        train(workshop.recipe(workspace / "model"), output, progress=interrupt)
    assert (output / "checkpoints" / "checkpoint-2").is_dir()
    assert not (output / "final_model").exists()


def test_progress_tells_each_step_of_all(workspace, tmp_path):
    told = []
    train(
        workshop.recipe(workspace / "model"),
        tmp_path / "run",
        progress=lambda step, steps, measured: told.append((step, steps, "loss" in measured)),
    )
    assert told == [(step, 6, True) for step in range(1, 7)] + [(6, 6, False)]


@pytest.mark.parametrize("name", CHECKPOINTING)
def test_checkpoints_of_a_forked_cache_change_no_step(workspace, tmp_path, name):
    """Qwen3.5: transformers' own checkpointing would take the cache away, and the page with it."""
    families.build("qwen3_5").save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    losses = []
    for checkpointing in (False, True):
        recipe = workshop.recipe(
            tmp_path / "model",
            data=[{"task": "convfinqa", "limit": 2}],
            validation={"conversations": 0},
            trainer={"max_steps": 2, name: checkpointing},
        )
        run = train(recipe, tmp_path / f"{checkpointing}")
        assert run.read_json("data.json")["way"] == "fork"
        losses.append([line["loss"] for line in run.read_lines("train_loss.log")])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_all_weights_are_trained_with_method_none(workspace, tmp_path):
    recipe = workshop.recipe(
        workspace / "model",
        dtype="bfloat16",
        adapter={"method": "none"},
        trainer={"max_steps": 1, "learning_rate": 1e-2},
    )
    run = train(recipe, tmp_path / "run")
    after = load_file(run.path / "final_model" / "model.safetensors")
    before = load_file(workspace / "model" / "model.safetensors")
    assert after.keys() == before.keys()
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}
    assert all((after[name].float() - before[name]).abs().max() > 0 for name in before)
    assert load_model(str(run.path / "final_model"), dtype="float32")


def test_start_from_goes_on_from_an_adapter(finished, workspace, tmp_path):
    def adapter(start_from, rate):
        recipe = workshop.recipe(
            workspace / "model",
            adapter={"method": "lora", "rank": 4, "alpha": 8, "start_from": start_from},
            trainer={"max_steps": 1, "learning_rate": rate},
        )
        return load_file(train(recipe, tmp_path / f"{rate}").path / WEIGHTS)

    before = load_file(finished.path / WEIGHTS)
    same, changed = adapter(str(finished.path), 1e-12), adapter(str(finished.path), 1e-2)
    assert all(torch.equal(same[name], before[name]) for name in before)
    assert all(not torch.equal(changed[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"adapter": {"start_from": "nowhere"}}, ModelError, "nowhere: no adapter here"),
        ({"model": "nowhere/at/all"}, ModelError, "no such model"),
        ({"data": [{"task": "convfinka"}]}, RecipeError, "did you mean convfinqa"),
        ({"validation": {"conversations": 6}}, RecipeError, "left to train on: 6 held out"),
        ({"max_tokens": 50}, RecipeError, "field max_tokens: every conversation is longer"),
        ({"trainer": {"lr_scheduler_type": "cosin"}}, RecipeError, "field trainer"),
        ({"trainer": {"lr_scheduler_type": "cosine_with_min_lr"}}, RecipeError, "field trainer"),
        ({"trainer": {"learning_rate": -1.0}}, RecipeError, "field trainer"),
        ({"trainer": {"seed": -1}}, RecipeError, "field trainer: seed -1"),
        ({"trainer": {"accelerator_config": "no.json"}}, RecipeError, "field trainer"),
        (
            {"trainer": {"eval_strategy": "steps"}, "validation": {"conversations": 0}},
            RecipeError,
            "field trainer.eval_strategy: nothing is held out",
        ),
        ({"adapter": {"targets": ["foo"]}}, RecipeError, "field adapter.targets"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    workspace, tmp_path, changes, kind, said
):
    with pytest.raises(kind) as error:
        train(workshop.recipe(**{"model": workspace / "model"} | changes), tmp_path / "run")
    assert said in str(error.value)
    assert isinstance(error.value, CrossfootError)
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_left_alone(workspace, tmp_path):
    mine = tmp_path / "checkpoints" / "mine.bin"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(RecipeError, match="this folder holds something else than a training"):
        train(workshop.recipe(workspace / "model"), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_a_row_longer_than_the_models_context_is_refused(workspace, tmp_path):
    model = shutil.copytree(workspace / "model", tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 200}))
    with pytest.raises(RecipeError, match=r"max_tokens: the longest row has \d+ tokens") as error:
        train(workshop.recipe(model), tmp_path / "run")
    assert "max_tokens=200" in str(error.value)


@pytest.mark.parametrize("rows", ["target", "page"])
def test_a_conversation_longer_than_the_limit_is_left_out_and_reported(workspace, tmp_path, rows):
    everything = workshop.recipe(
        workspace / "model",
        rows=rows,
        validation={"conversations": 0},
        trainer={"max_steps": 1},
    )
    lengths = sorted(len(tree) for tree in build(everything, workspace))
    recipe = everything.model_copy(update={"max_tokens": lengths[-1] - 1})
    data = train(recipe, tmp_path / "run").read_json("data.json")
    assert data["train"]["left_out"] == [load_task("convfinqa", "train")[-1].sample_id]
    assert data["train"]["trees"] == 5 * (1 if rows == "page" else 5)
    assert "1 conversations longer than" in (tmp_path / "run" / "README.md").read_text()


def build(recipe, workspace):

    return build_trees(load_data(recipe).train, Chat(tiny.tokenizer()), recipe).trees


def test_the_card_says_what_was_trained_on_what(finished, workspace):
    card = (finished.path / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "peft"
    assert "base_model" not in front  # a local folder is none of the hub
    hashes = finished.read_json("environment.json")["base"]["sha256"]
    assert hashes["model.safetensors"] in card
    for said in ("ConvFinQA", "| train | 20 | 4 |", "held-out loss", "Not evaluated yet"):
        assert said in card
    assert yaml.safe_load(card.split("```yaml\n")[1].split("```")[0])["adapter"]["rank"] == 4


def test_the_card_has_the_metrics_of_an_evaluation(finished, tmp_path):
    run = RunFolder(tmp_path)
    for path in finished.path.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    score = {"accuracy": 0.512, "low": 0.4, "high": 0.6, "correct": 51, "total": 100}
    metrics = {"task": "convfinqa", "split": "dev", "graders": {"official": score}}
    (tmp_path / "test_metrics.json").write_text(json.dumps(metrics))
    card = model_card(run)
    assert "| official | 51.2% | 40.0% to 60.0% | 100 |" in card
    assert "On convfinqa, split dev; intervals" in card
    assert "| turns, by" not in card
    metrics |= {"history": "gold", "few_shot": True, "constrained": True, "line_prior": True}
    metrics |= {"by_position": {"1": score, "2": score | {"total": 0}}, "operands_named": score}
    (tmp_path / "test_metrics.json").write_text(json.dumps(metrics))
    told = "split dev, behind the labelled turns instead of the model's own, with examples in the"
    card = model_card(run)
    assert told in card
    assert "(`--constrained`), quotes weighed by their ranking (`--line-prior`); intervals" in card
    assert "| position 1 of its conversation | 51.2% | 40.0% to 60.0% | 100 |" in card
    assert "position 2" not in card
    assert "| all numbers of the gold program named | 51.2% |" in card
    assert "shown the whole page" in card
    recipe = yaml.safe_load((tmp_path / "recipe.yaml").read_text())
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe | {"prompt": "ranked"}))
    assert "shown the table of the page, and behind each question" in model_card(run)
