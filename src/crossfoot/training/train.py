"""One training from a recipe to a run folder.

The folder gets ``recipe.yaml`` (resolved), ``args.json``, ``environment.json``, ``data.json``,
``metrics.jsonl``, ``train_loss.log``, ``eval_loss.log``, ``timing.json``, ``final_model/`` and
``README.md``; checkpoints lie under ``checkpoints/`` until the training is done.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from crossfoot.chat.template import Chat
from crossfoot.errors import RecipeError
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.loading import load_model, load_tokenizer
from crossfoot.runs.folder import RunFolder, environment
from crossfoot.tasks.split import choose
from crossfoot.training.data import Chains, build_chains, load_data
from crossfoot.training.recipe import Recipe
from crossfoot.training.sft import ChainDataset, TargetTrainer, collate

CHECKPOINTS = "checkpoints"
FINAL = "final_model"


class _RunLog(TrainerCallback):
    """Writes Trainer's log lines into the run folder."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not state.is_world_process_zero or not logs:
            return
        self.run.append_lines("metrics.jsonl", [{"step": state.global_step, **logs}])
        for key, name in (("loss", "train_loss.log"), ("eval_loss", "eval_loss.log")):
            if key in logs:
                self.run.append_lines(name, [{"step": state.global_step, key: logs[key]}])


def train(recipe: Recipe, output: Path, *, resume: bool = False) -> RunFolder:
    """Train by ``recipe`` into ``output``; ``resume`` goes on from its last checkpoint."""
    run = RunFolder(output)
    _check_folder(run, recipe, resume)
    tokenizer = load_tokenizer(recipe.model)
    chat = Chat(tokenizer)
    data = load_data(recipe)
    train_chains = build_chains(data.train, chat, recipe)
    scored = choose(data.validation, recipe.validation.scored, recipe.validation.seed)
    held_out = build_chains(scored, chat, recipe)
    if not train_chains.chains:
        raise RecipeError(
            f"every conversation is longer than {recipe.max_tokens} tokens", field="max_tokens"
        )
    run.create()
    run.write_text("recipe.yaml", yaml.safe_dump(recipe.model_dump(), sort_keys=False))
    run.write_json("environment.json", environment())
    run.write_json("data.json", _data_summary(train_chains, held_out, data.validation))

    arguments = training_arguments(recipe, output)
    run.write_json("args.json", arguments.to_sanitized_dict())
    set_seed(arguments.seed)
    four_bit = recipe.adapter.method == "qlora"
    base = load_model(recipe.model, dtype=recipe.dtype, four_bit=four_bit)
    model = add_adapter(base, **recipe.adapter.model_dump())
    trainer = TargetTrainer(
        model=model,
        args=arguments,
        train_dataset=ChainDataset(train_chains.chains),
        eval_dataset=ChainDataset(held_out.chains) if held_out.chains else None,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=[_RunLog(run)],
    )
    started = time.perf_counter()
    trainer.train(resume_from_checkpoint=_last_checkpoint(output) if resume else None)
    duration = time.perf_counter() - started
    final = trainer.evaluate() if held_out.chains else {}
    save_trained(model, tokenizer, output / FINAL)
    run.write_json("timing.json", _timing(duration, final))
    shutil.rmtree(output / CHECKPOINTS, ignore_errors=True)
    return run


def training_arguments(recipe: Recipe, output: Path) -> TrainingArguments:
    """The recipe's ``trainer:`` section over defaults that suit targets of one conversation."""
    cpu = not torch.cuda.is_available()
    options: dict[str, Any] = {
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "learning_rate": 3e-4,
        "lr_scheduler_type": "cosine",
        "num_train_epochs": 1,
        "logging_steps": 1,
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
        return TrainingArguments(**options)
    except (TypeError, ValueError) as error:
        raise RecipeError(str(error), field="trainer") from error


def _check_folder(run: RunFolder, recipe: Recipe, resume: bool) -> None:
    """A finished or foreign folder is never overwritten."""
    if (run.path / FINAL).exists():
        raise RecipeError(
            "a finished run lies here", file=run.path, advice="choose another --output"
        )
    started = (run.path / "recipe.yaml").is_file()
    if started and not resume:
        raise RecipeError(
            "an unfinished run lies here", file=run.path, advice="add --resume, or remove it"
        )
    if started:
        previous = yaml.safe_load((run.path / "recipe.yaml").read_text("utf-8"))
        if previous != recipe.model_dump():
            changed = sorted(k for k, v in recipe.model_dump().items() if previous.get(k) != v)
            raise RecipeError(
                f"the run here was started with another recipe ({', '.join(changed)} differ)",
                file=run.path,
            )


def _last_checkpoint(output: Path) -> str | None:
    folder = output / CHECKPOINTS
    return get_last_checkpoint(str(folder)) if folder.is_dir() else None


def _data_summary(train: Chains, held_out: Chains, validation: list[Any]) -> dict[str, Any]:
    def counts(part: Chains) -> dict[str, Any]:
        return {
            "rows": part.rows,
            "row_tokens": part.row_tokens,
            "chains": len(part.chains),
            "tokens": part.tokens,
            "target_tokens": part.targets,
            "left_out": part.left_out,
        }

    return {
        "train": counts(train),
        "validation": counts(held_out),
        "validation_ids": [sample.sample_id for sample in validation],
    }


def _timing(duration: float, final: dict[str, float]) -> dict[str, Any]:
    timing: dict[str, Any] = {"train_duration_seconds": duration}
    if final:
        timing["eval_duration_seconds"] = final["eval_runtime"]
        timing["eval_loss"] = final["eval_loss"]
    if torch.cuda.is_available():
        timing["cuda_max_memory_bytes"] = torch.cuda.max_memory_allocated()
    return timing
