"""One training from a recipe to a run folder.

The folder gets ``recipe.yaml`` (resolved), ``args.json``, ``environment.json``, ``data.json``,
``metrics.jsonl``, ``train_loss.log``, ``eval_loss.log``, ``timing.json``, ``final_model/`` and
``README.md``; checkpoints lie under ``checkpoints/`` until the training is done.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import ValidationError
from transformers import PrinterCallback, TrainerCallback, TrainingArguments, set_seed

from crossfoot.chat.template import Chat
from crossfoot.errors import RecipeError
from crossfoot.models import unsloth
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.loading import DTYPES, identity, load_config, load_model, load_tokenizer
from crossfoot.reports.card import model_card
from crossfoot.runs.folder import RunFolder, environment
from crossfoot.tasks.split import choose
from crossfoot.training.batches import plan_steps
from crossfoot.training.data import TrainingData, Trees, build_trees, load_data
from crossfoot.training.logprobs import Way
from crossfoot.training.machine import check_dtype, check_optimizer
from crossfoot.training.memory import explained_shortage, is_shortage
from crossfoot.training.recipe import Recipe
from crossfoot.training.sft import TreeTrainer
from crossfoot.training.sharing import choose_way
from crossfoot.training.tree import Tree

CHECKPOINTS = "checkpoints"
FINAL = "final_model"
METRICS, TRAIN_LOSS, EVAL_LOSS = "metrics.jsonl", "train_loss.log", "eval_loss.log"

# Called with the step, the number of steps, and what was measured at it.
Progress = Callable[[int, int, dict[str, float]], None]


class _RunLog(TrainerCallback):  # type: ignore[misc]
    """Writes Trainer's log lines into the run folder; ``seconds`` count since the first start."""

    def __init__(self, run: RunFolder, before: float, progress: Progress) -> None:
        self.run = run
        self.started = time.perf_counter() - before
        self.progress = progress

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        # Trainer's summary at the end is left out: after a resume it is of the last part alone.
        if not state.is_world_process_zero or not logs or "train_runtime" in logs:
            return
        seconds = time.perf_counter() - self.started
        line = {"step": state.global_step, **logs, "seconds": seconds}
        self.run.append_lines(METRICS, [line])
        for key, name in (("loss", TRAIN_LOSS), ("eval_loss", EVAL_LOSS)):
            if key in logs:
                self.run.append_lines(name, [{"step": state.global_step, key: logs[key]}])
        self.progress(state.global_step, state.max_steps, logs)


def train(
    recipe: Recipe,
    output: Path,
    *,
    resume: bool = False,
    progress: Progress = lambda step, steps, measured: None,
    say: Callable[[str], None] = lambda line: None,
) -> RunFolder:
    """Train by ``recipe`` into ``output``; ``resume`` goes on from its last checkpoint.

    ``say`` is told what a user should know before the first step.
    """
    run = RunFolder(output)
    arguments = training_arguments(recipe, output)
    writes = arguments.process_index == 0  # of several processes the first one alone
    if writes:
        _check_folder(run, recipe, resume)
    prepared = prepare(recipe)
    trained, held_out = prepared.trained, prepared.held_out
    set_seed(arguments.seed)
    with explained_shortage(recipe, output, loading=True):
        model = _model(recipe, say if writes else lambda line: None)
    way, why = choose_way(model)
    checkpoint = _last_checkpoint(output)
    before = 0.0
    if writes:
        say(why)
        if trained.left_out:
            say(
                f"{len(trained.left_out)} conversations have rows longer than {recipe.max_tokens} "
                f"tokens and are left out; cutting them instead would lose "
                f"{trained.evidence_cut:.1%} of the numbers that gold programs need"
            )
        run.create()
        run.write_text("recipe.yaml", yaml.safe_dump(recipe.model_dump(), sort_keys=False))
        run.write_json("environment.json", environment() | {"base": identity(recipe.model, model)})
        run.write_json("data.json", _data_summary(prepared, way))
        run.write_json("args.json", arguments.to_sanitized_dict())
        before = _rewind(run, checkpoint)
    trainer = _trainer(recipe, arguments, model, trained, held_out, way)
    trainer.add_callback(_RunLog(run, before, progress))
    started = time.perf_counter()
    with explained_shortage(recipe, output, kept=lambda: _last_checkpoint(output)):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        duration = before + time.perf_counter() - started
        final = trainer.evaluate() if held_out.trees else {}
    if writes:
        save_trained(model.to(DTYPES[recipe.dtype]), prepared.tokenizer, output / FINAL)
        run.write_json("timing.json", _timing(duration, final))
        run.write_text("README.md", model_card(run))
        shutil.rmtree(output / CHECKPOINTS, ignore_errors=True)
        say(f"trained: {output}")
    return run


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe's tokenizer and data, as trees."""

    tokenizer: Any
    data: TrainingData
    trained: Trees
    held_out: Trees  # those of the validation conversations that are scored


def prepare(recipe: Recipe) -> Prepared:
    """Read what a recipe trains on; RecipeError where nothing is left of it."""
    tokenizer = load_tokenizer(recipe.model)
    chat = Chat(tokenizer)
    data = load_data(recipe)
    trained = build_trees(data.train, chat, recipe)
    if not trained.trees:
        raise _nothing_to_train_on(trained, recipe)
    scored = choose(data.validation, recipe.validation.scored, recipe.validation.seed)
    return Prepared(tokenizer, data, trained, build_trees(scored, chat, recipe))


def _trainer(
    recipe: Recipe,
    arguments: TrainingArguments,
    model: Any,
    trained: Trees,
    held_out: Trees,
    way: Way,
) -> TreeTrainer:
    checkpoint = arguments.gradient_checkpointing and way == "fork"
    if checkpoint:  # transformers' own switches caches off
        arguments.gradient_checkpointing = False
    trainer = TreeTrainer(
        model=model,
        args=arguments,
        steps=steps_of(trained.trees, recipe, arguments),
        held_out=held_out.trees,
        batch_tokens=recipe.batch_tokens,
        way=way,
        checkpoint=checkpoint,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def steps_of(
    trees: Sequence[Tree], recipe: Recipe, arguments: TrainingArguments
) -> list[list[Tree]]:
    """The trees of each optimizer step of an epoch; RecipeError where there is none."""
    rows = [len(tree.completions) for tree in trees]
    last = arguments.dataloader_drop_last
    steps = plan_steps(rows, recipe.batch_rows, arguments.seed, drop_last=last)
    if not steps:
        raise RecipeError(
            f"{sum(rows)} rows are fewer than one step's, and the last, smaller one is dropped",
            field="batch_rows",
            advice="lower it, or add trainer.dataloader_drop_last=false",
        )
    return [[trees[index] for index in step] for step in steps]


def _model(recipe: Recipe, say: Callable[[str], None]) -> Any:
    """The base model ready to train; what is trained is held in float32."""
    if unsloth.installed():
        try:
            return _unsloth_model(recipe, say)
        except (ImportError, RuntimeError, ValueError, NotImplementedError, TypeError) as error:
            if is_shortage(error):
                raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            say(f"PEFT, not Unsloth: {reason}")
    method = recipe.adapter.method
    dtype = "float32" if method == "none" else recipe.dtype
    base = load_model(recipe.model, dtype=dtype, four_bit=method == "qlora")
    return add_adapter(base, **recipe.adapter.model_dump())


def _unsloth_model(recipe: Recipe, say: Callable[[str], None]) -> Any:
    """A model of Unsloth's; ValueError where it does not fit the recipe."""
    options = recipe.adapter.model_dump()
    method, start_from = options["method"], options.pop("start_from")
    config, shares = load_config(recipe.model), recipe.rows == "page"
    reason = unsloth.why_not(config, method=method, start_from=start_from, shares=shares)
    if reason:
        raise ValueError(reason)
    model = unsloth.unsloth_adapter(
        recipe.model, dtype=recipe.dtype, max_tokens=recipe.max_tokens, **options
    )
    say("Unsloth's model and adapter")
    return model.train()


def _nothing_to_train_on(trees: Trees, recipe: Recipe) -> RecipeError:
    if trees.left_out:
        return RecipeError(
            f"every conversation is longer than {recipe.max_tokens} tokens",
            field="max_tokens",
            advice="raise it, or use prompt: short",
        )
    return RecipeError("no conversation has a labelled turn to train on", field="data")


def training_arguments(recipe: Recipe, output: Path) -> TrainingArguments:
    """The recipe's ``trainer:`` section over defaults that suit pages.

    RecipeError where this machine lacks what the recipe asks for.
    """
    check_dtype(recipe)
    cpu = not torch.cuda.is_available()
    options: dict[str, Any] = {
        "per_device_train_batch_size": 1,  # one step's trees
        "learning_rate": 3e-4,
        "lr_scheduler_type": "cosine",
        "num_train_epochs": 1,
        "logging_steps": 1,
        "save_steps": 50,
        "disable_tqdm": True,
        "report_to": "none",
        "save_total_limit": 1,
        "bf16": recipe.dtype == "bfloat16",
        "fp16": recipe.dtype == "float16" and not cpu,
        "use_cpu": cpu,
        "dataloader_pin_memory": False,
    }
    options |= recipe.trainer
    options |= {"output_dir": str(output / CHECKPOINTS), "remove_unused_columns": False}
    try:
        arguments = TrainingArguments(**options)
    except (TypeError, ValueError) as error:
        raise RecipeError(str(error), field="trainer") from error
    check_optimizer(arguments)
    return arguments


def _check_folder(run: RunFolder, recipe: Recipe, resume: bool) -> None:
    """A finished or foreign folder is never overwritten."""
    if (run.path / FINAL).exists():
        raise RecipeError(
            "a finished run lies here", file=run.path, advice="choose another --output"
        )
    started = run.path / "recipe.yaml"
    if not started.is_file():
        return
    if not resume:
        raise RecipeError(
            "an unfinished run lies here", file=run.path, advice="add --resume, or remove it"
        )
    try:
        previous = Recipe.model_validate(yaml.safe_load(started.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise RecipeError("not the recipe of a run", file=started) from error
    was, now = _lasting(previous), _lasting(recipe)
    changed = [key for key in now if now[key] != was[key]]
    if changed:
        raise RecipeError(
            f"the run here was started with another recipe ({', '.join(changed)} differ)",
            file=run.path,
            advice="go on with its own recipe.yaml, or choose another --output",
        )


def _lasting(recipe: Recipe) -> dict[str, Any]:
    """What a resumed run may not change; computing activations again changes no result."""
    document = recipe.model_dump()
    document["trainer"].pop("gradient_checkpointing", None)
    return document


def _last_checkpoint(output: Path) -> Path | None:
    """The last whole checkpoint; Trainer writes ``trainer_state.json`` last."""
    whole: dict[int, Path] = {}
    for state in (output / CHECKPOINTS).glob("checkpoint-*/trainer_state.json"):
        try:
            whole[json.loads(state.read_text("utf-8"))["global_step"]] = state.parent
        except ValueError:
            continue
    return whole[max(whole)] if whole else None


def _rewind(run: RunFolder, checkpoint: Path | None) -> float:
    """Drop what was logged after the checkpoint; the seconds of training that it took."""
    step = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
    for name in (METRICS, TRAIN_LOSS, EVAL_LOSS):
        run.write_lines(name, [line for line in run.read_lines(name) if line["step"] <= step])
    kept = run.read_lines(METRICS)
    return float(kept[-1].get("seconds", 0)) if kept else 0.0


def _data_summary(prepared: Prepared, way: Way) -> dict[str, Any]:
    def counts(part: Trees) -> dict[str, Any]:
        return {
            "rows": part.rows,
            "row_tokens": part.row_tokens,
            "trees": len(part.trees),
            "tokens": part.tokens,
            "target_tokens": part.targets,
            "left_out": part.left_out,
            "evidence_cut": part.evidence_cut,
        }

    return {
        "train": counts(prepared.trained),
        "validation": counts(prepared.held_out),
        "validation_ids": [sample.sample_id for sample in prepared.data.validation],
        "way": way,
    }


def _timing(duration: float, final: dict[str, float]) -> dict[str, Any]:
    timing: dict[str, Any] = {"train_duration_seconds": duration}
    if final:
        timing["eval_duration_seconds"] = final["eval_runtime"]
        timing["eval_loss"] = final["eval_loss"]
    if torch.cuda.is_available():
        timing["cuda_max_memory_bytes"] = torch.cuda.max_memory_allocated()
    return timing
