"""Trainer's arguments for a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments, get_scheduler

from crossfoot.errors import RecipeError, first_line
from crossfoot.reports.trackers import check_trackers
from crossfoot.training.machine import check_dtype, check_optimizer
from crossfoot.training.recipe import Recipe
from crossfoot.training.tree import Tree

CHECKPOINTS = "checkpoints"


def training_arguments(recipe: Recipe, output: Path) -> TrainingArguments:
    """The recipe's ``trainer:`` section over defaults that suit pages.

    RecipeError where this machine lacks what the recipe asks for.
    """
    check_dtype(recipe)
    check_trackers(recipe.tracking)
    cpu = not torch.cuda.is_available()
    options: dict[str, Any] = {
        "per_device_train_batch_size": 1,  # one step's trees
        "learning_rate": 3e-4,
        "lr_scheduler_type": "cosine",
        "num_train_epochs": 1,
        "logging_steps": 1,
        "save_steps": 50,
        "disable_tqdm": True,
        "report_to": recipe.tracking.report_to or "none",
        "project": recipe.tracking.project,
        "run_name": output.name,
        "save_total_limit": 1,
        "bf16": recipe.dtype == "bfloat16",
        "fp16": recipe.dtype == "float16" and not cpu,
        "use_cpu": cpu,
        "dataloader_pin_memory": False,
        # Processes may run different numbers of passes for a step, and buffers never change.
        "ddp_broadcast_buffers": False,
    }
    options |= recipe.trainer
    options |= {"output_dir": str(output / CHECKPOINTS), "remove_unused_columns": False}
    try:
        arguments = TrainingArguments(**options)
        _try_out(arguments)
    except (TypeError, ValueError, ImportError, OSError) as error:
        raise RecipeError(first_line(error), field="trainer") from error
    if arguments.eval_strategy != "no" and not (
        recipe.validation.conversations and recipe.validation.scored
    ):
        raise RecipeError(
            "nothing is held out to be scored",
            field="trainer.eval_strategy",
            advice="give validation.conversations and validation.scored",
        )
    check_optimizer(arguments)
    _take_one_gpu(arguments)
    return arguments


def _try_out(arguments: TrainingArguments) -> None:
    """Errors of numbers that only an optimizer, a schedule or a seed would refuse, much later."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW(
        [weight],
        lr=arguments.learning_rate,
        betas=(arguments.adam_beta1, arguments.adam_beta2),
        eps=arguments.adam_epsilon,
        weight_decay=arguments.weight_decay,
    )
    get_scheduler(
        arguments.lr_scheduler_type,
        optimizer,
        num_warmup_steps=1,
        num_training_steps=2,
        scheduler_specific_kwargs=arguments.lr_scheduler_kwargs,
    )
    if not 0 <= arguments.seed < 2**32:
        raise ValueError(f"seed {arguments.seed} is not within 0 to {2**32 - 1}")


def _take_one_gpu(arguments: TrainingArguments) -> None:
    """A process takes one GPU: Trainer would hand the items of several steps to all it sees."""
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1


def keep_budget(
    arguments: TrainingArguments, recipe: Recipe, steps: Sequence[Sequence[Tree]]
) -> None:
    """Set the number of steps that encode ``train_tokens``, where the recipe has them.

    ``steps`` are those of an epoch; the training goes through them as often as it takes.
    """
    if recipe.train_tokens is not None:
        epoch = sum(len(tree) for step in steps for tree in step)
        arguments.max_steps = max(1, round(len(steps) * recipe.train_tokens / epoch))
