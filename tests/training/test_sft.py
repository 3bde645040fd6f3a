"""The loss of a step: the same however targets are grouped, over target positions only."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import TrainingArguments

import families
import tiny
import workshop
from crossfoot.chat.template import Chat
from crossfoot.models.adapters import add_adapter
from crossfoot.runs.folder import RunFolder
from crossfoot.targets.rows import build_rows
from crossfoot.training.batches import shares
from crossfoot.training.logprobs import prepare
from crossfoot.training.sft import TreeTrainer, collate, tree_loss
from crossfoot.training.tree import grow


@pytest.fixture(scope="module")
def rows():
    return build_rows([tiny.sample()], Chat(tiny.tokenizer()), "short")


def lora():
    """A tiny model with an adapter whose two halves are both random, so that all get gradients."""
    torch.manual_seed(0)
    model = add_adapter(
        tiny.llama(),
        method="lora",
        rank=4,
        alpha=8,
        dropout=0.0,
        targets="all-linear",
        start_from=None,
    )
    for parameter in trained(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    prepare(model, "tree")
    return model


def trained(model):
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def targets(trees):
    return sum(len(completion) for tree in trees for completion in tree.completions)


def backward(model, trees):
    """Mean loss over all target tokens, and its gradients."""
    loss = sum(tree_loss(model, [tree], "rows") for tree in trees) / targets(trees)
    gradients = torch.autograd.grad(loss, list(trained(model).values()))
    return loss.item(), dict(zip(trained(model), gradients, strict=True))


def test_logits_are_computed_at_target_positions_only(rows):
    model = tiny.llama()
    prepare(model, "tree")
    shapes = []
    model.lm_head.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape)))
    tree = grow(rows)
    tree_loss(model, [tree], "tree")
    assert shapes == [(1, targets([tree]), 640)]
    assert targets([tree]) < len(tree) / 2


def test_a_model_that_gives_all_logits_has_the_same_loss(rows):
    model = tiny.llama()
    prepare(model, "tree")
    tree = grow(rows)
    expected = tree_loss(model, [tree], "tree").item()
    forward = model.forward
    model.forward = lambda logits_to_keep, **inputs: forward(**inputs)
    assert tree_loss(model, [tree], "tree").item() == pytest.approx(expected, rel=1e-6)


def test_collate_has_every_token_once_and_every_target_as_often_as_it_bears_loss(rows):
    tree = grow([*rows, rows[0]])
    batch = collate([[tree, tree]])
    assert batch["input_ids"].tolist() == [[*tree.ids, *tree.ids]]
    own = [token for row in [*rows, rows[0]] for token in row.completion_ids]
    assert batch["labels"].tolist() == [[-100, *own, *own]]


def test_an_idle_process_takes_part_without_weight(rows):
    (busy, idle) = shares([grow(rows)], 2)
    model = lora()
    loss = tree_loss(model, idle, "tree")
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in trained(model).values())
    assert targets(busy) == sum(len(row.completion_ids) for row in rows)


def trainer(model, trees, folder, *, batch_tokens, **options):
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        max_steps=1,
        optim="sgd",
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    return TreeTrainer(
        model=model,
        args=arguments,
        steps=[trees],
        held_out=trees,
        batch_tokens=batch_tokens,
        way="tree",
        checkpoint=False,
        **options,
    )


@pytest.fixture(scope="module")
def ragged(rows):
    """Trees with very different numbers of tokens and targets."""
    return [grow(rows[:1]), grow(rows), grow(rows[1:2]), grow(rows[4:6])]


def test_a_step_is_the_mean_over_all_its_target_tokens(ragged, tmp_path):
    start = lora()
    loss, gradients = backward(start, ragged)
    for batch_tokens in (1, 1500, 100_000):
        model = copy.deepcopy(start)
        run = trainer(model, ragged, tmp_path, batch_tokens=batch_tokens)
        run.train()
        assert run.state.log_history[-1]["train_loss"] == pytest.approx(loss, rel=1e-5)
        for name, before in trained(start).items():
            # One step of plain descent with rate 1 is the gradient itself.
            taken, step = before - trained(model)[name], gradients[name]
            assert (taken - step).norm() <= 1e-4 * step.norm(), (batch_tokens, name)


@pytest.mark.parametrize("batch_tokens", [1, 100_000])
def test_the_held_out_loss_is_a_mean_over_tokens(ragged, tmp_path, batch_tokens):
    model = lora()
    loss, _ = backward(model, ragged)
    metrics = trainer(model, ragged, tmp_path, batch_tokens=batch_tokens).evaluate()
    assert metrics["eval_loss"] == pytest.approx(loss, rel=1e-5)
    assert metrics["eval_runtime"] > 0


@pytest.mark.parametrize("family", ["llama", "qwen3_5"])
def test_two_processes_have_the_loss_curve_of_one(tmp_path, family):
    """Five conversations in steps of two and a half: a process has nothing to do at times.

    Of a model with recurrent layers, processes have different numbers of passes.
    """
    families.build(family).save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    workshop.write_data(tmp_path / "data")
    recipe = workshop.write_recipe(
        tmp_path / "recipe.yaml", tmp_path / "model", batch_rows=13, batch_tokens=2000
    )
    environment = os.environ | {"CROSSFOOT_DATA": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}
    launcher = str(Path(sys.executable).with_name("accelerate"))
    curves = []
    for processes in (1, 2):
        launch = [launcher, "launch", "--cpu", "--num_processes", str(processes)]
        launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
        output = tmp_path / f"run{processes}"
        program = ["-m", "crossfoot", "train", str(recipe), "--output", str(output)]
        subprocess.run(
            [*launch, *program], env=environment, check=True, capture_output=True, timeout=300
        )
        run = RunFolder(output)
        lines = run.read_lines("train_loss.log") + run.read_lines("eval_loss.log")
        curves.append([line.get("loss", line.get("eval_loss")) for line in lines])
    assert len(curves[0]) == 7
    assert curves[1] == pytest.approx(curves[0], rel=1e-5)
