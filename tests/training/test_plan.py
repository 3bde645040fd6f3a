"""The plan of a training: what it counts is what the training then does."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

import families
import tiny
import workshop
from crossfoot.cli.main import app
from crossfoot.errors import CrossfootError
from crossfoot.reports.plan import plan_table
from crossfoot.targets.conversation import conversation_messages
from crossfoot.tasks.registry import load_task
from crossfoot.training.arguments import training_arguments
from crossfoot.training.plan import plan, step_count
from crossfoot.training.prepared import steps_of
from crossfoot.training.train import train
from crossfoot.training.tree import Tree

CONVERSATIONS = 3037  # of the official ConvFinQA training set


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    workshop.write_model(folder / "model")
    workshop.write_data(folder / "data")
    return folder


@pytest.fixture(autouse=True)
def _data(workspace, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(workspace / "data"))


def test_the_published_training_has_837_steps(tmp_path):
    """Seed 000: 18,078 rows, 200 held out, 64 a step, three epochs, the last part left out."""
    row = Tree((1, 2), (-1, 0), ((1,),))
    recipe = workshop.recipe(
        tmp_path,
        rows="target",
        batch_rows=64,
        trainer={"num_train_epochs": 3, "dataloader_drop_last": True},
    )
    arguments = training_arguments(recipe, tmp_path)
    steps = steps_of([row] * (18_078 - 200), recipe, arguments)
    assert {len(step) for step in steps} == {64}
    assert step_count(len(steps), arguments) == 837


def test_the_official_conversations_give_18078_rows(shared_data, monkeypatch):
    """A row for each assistant message, without conversations that compare (yes or no)."""
    monkeypatch.setenv("CROSSFOOT_DATA", str(shared_data))
    samples = load_task("convfinqa", "train")
    if len(samples) != CONVERSATIONS:
        pytest.skip(f"{len(samples)} of the {CONVERSATIONS} official training conversations here")
    messages = [
        conversation_messages(sample, "short")
        for sample in samples
        if not any("greater" in turn.gold.program for turn in sample.turns)
    ]
    assert len(messages) == 3002
    rows = [message for own in messages for message in own if message["role"] == "assistant"]
    assert len(rows) == 18_078


@pytest.mark.parametrize(
    ("per_epoch", "epochs", "limit", "count"),
    [(279, 3, -1, 837), (10, 1.5, -1, 15), (10, 0.25, -1, 3), (10, 3, 7, 7)],
)
def test_steps_are_counted_as_trainer_counts_them(per_epoch, epochs, limit, count):
    arguments = SimpleNamespace(num_train_epochs=epochs, max_steps=limit)
    assert step_count(per_epoch, arguments) == count


def test_the_plan_is_what_the_training_then_does(workspace, tmp_path):
    recipe = workshop.recipe(workspace / "model")
    found = plan(recipe)
    told = []
    run = train(recipe, tmp_path / "run", progress=lambda step, steps, _: told.append(steps))
    assert {found.steps} == set(told)
    data = run.read_json("data.json")
    for name in ("rows", "tokens", "row_tokens", "target_tokens", "left_out"):
        assert getattr(found, name) == data["train"][name]
    assert found.held_out_rows == data["validation"]["rows"]
    assert found.tokens < found.row_tokens


def test_neither_weights_nor_run_folder_are_needed(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = workshop.write_model(tmp_path / "model")
    (model / "model.safetensors").unlink()
    found = plan(workshop.recipe(model))
    assert found.needed_bytes > found.memory.weights > 0
    assert found.seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("family", "checkpointing", "said"),
    [
        ("llama", False, "one pass over a page's tree; no activation checkpointing"),
        ("llama", True, "one pass over a page's tree; transformers' activation checkpointing"),
        ("qwen3_5", True, "from a forked cache; checkpoints by segments of 1,024 tokens"),
    ],
)
def test_the_plan_says_how_prefixes_are_shared_and_computed_again(
    tmp_path, family, checkpointing, said
):
    families.build(family).config.save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    recipe = workshop.recipe(
        tmp_path,
        data=[{"task": "convfinqa", "limit": 1}],
        validation={"conversations": 0},
        trainer={"gradient_checkpointing": checkpointing},
    )
    console = Console(width=400, file=io.StringIO())
    console.print(plan_table(recipe, plan(recipe)))
    assert said in console.file.getvalue()


def test_a_lower_limit_leaves_conversations_out(workspace):
    whole = plan(workshop.recipe(workspace / "model", validation={"conversations": 0}))
    less = plan(
        workshop.recipe(workspace / "model", validation={"conversations": 0}, max_tokens=1450)
    )
    assert whole.left_out == []
    longest = [sample.sample_id for sample in load_task("convfinqa", "train")][-3:]
    assert less.left_out == longest
    assert less.rows < whole.rows


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "nowhere/at/all"}, "no such model"),
        ({"max_tokens": 50}, "every conversation is longer"),
        (
            {"batch_rows": 30, "trainer": {"dataloader_drop_last": True}},
            "20 rows are fewer than one step's",
        ),
        ({"data": [{"task": "convfinka"}]}, "did you mean convfinqa"),
    ],
)
def test_what_cannot_be_trained_cannot_be_planned(workspace, changes, said):
    with pytest.raises(CrossfootError) as error:
        plan(workshop.recipe(**{"model": workspace / "model"} | changes))
    assert said in str(error.value)


def invoke(workspace, *options):
    path = workshop.write_recipe(workspace / "recipe.yaml", workspace / "model")
    return CliRunner().invoke(app, ["train", str(path), *options])


def test_a_dry_run_prints_one_json_document(workspace):
    done = invoke(workspace, "--dry-run", "--json", "trainer.max_steps=2")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["steps"] == 2
    assert document["steps_per_epoch"] == 2
    assert document["needed_bytes"] == document["memory"][f"total_{document['device']}"]
    assert document["memory"]["trained"] > 0


def test_a_dry_run_prints_a_table_and_trains_nothing(workspace):
    done = invoke(workspace, "--dry-run", "--output", str(workspace / "nothing"))
    assert done.exit_code == 0, done.output
    for said in ("plan for", "steps", "memory (estimate)", "time (estimate)", "row by row"):
        assert said in done.stdout
    assert not (workspace / "nothing").exists()


def test_json_without_a_dry_run_is_refused(workspace):
    done = invoke(workspace, "--json")
    assert isinstance(done.exception, CrossfootError)
    assert "--json goes with --dry-run" in str(done.exception)
