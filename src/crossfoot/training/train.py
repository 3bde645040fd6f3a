"""One training from a recipe to a run folder.

The folder gets ``recipe.yaml`` (resolved), ``args.json``, ``environment.json``, ``data.json``,
``metrics.jsonl``, ``train_loss.log``, ``eval_loss.log``, ``timing.json``, ``final_model/`` and
``README.md``; checkpoints lie under ``checkpoints/`` until the training is done.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import PrinterCallback, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from crossfoot.models import unsloth
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.card import model_card
from crossfoot.models.loading import DTYPES, identity, load_config, load_model
from crossfoot.models.prompts import write_prompt
from crossfoot.reports import trackers
from crossfoot.runs.folder import FINAL, RunFolder, environment
from crossfoot.training.arguments import CHECKPOINTS, keep_budget, training_arguments
from crossfoot.training.data import Trees
from crossfoot.training.gate import pass_gate
from crossfoot.training.logprobs import Way
from crossfoot.training.machine import check_split
from crossfoot.training.prepared import prepare, steps_of
from crossfoot.training.recipe import CHECKPOINTING, Recipe
from crossfoot.training.resume import (
    EVAL_LOSS,
    METRICS,
    TRAIN_LOSS,
    check_folder,
    last_checkpoint,
    rewind,
)
from crossfoot.training.sections import Quantization
from crossfoot.training.sft import TreeTrainer
from crossfoot.training.sharing import choose_way
from crossfoot.training.shortage import explained_shortage, is_shortage

# Called with the step, the number of steps, and what was measured at it.
Progress = Callable[[int, int, dict[str, float]], None]


class _RunLog(TrainerCallback):  # type: ignore[misc]
    """Writes Trainer's log lines into the run folder; ``seconds`` count since the first start.

    Every checkpoint gets the prompt beside it: it can be evaluated as the finished adapter can.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, before: float, progress: Progress) -> None:
        self.run = run
        self.recipe = recipe
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

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            folder = f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
            recipe = self.recipe
            write_prompt(Path(args.output_dir) / folder, recipe.prompt, recipe.target)


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
    tell = say if writes else lambda line: None
    if writes:
        check_folder(run, recipe, resume)
    prepared = prepare(recipe)
    trained, held_out = prepared.trained, prepared.held_out
    set_seed(arguments.seed)
    with explained_shortage(recipe, output, loading=True):
        model = _model(recipe, tell)
    checkpoint = last_checkpoint(output)
    gate = None
    if checkpoint is None:
        asked = prepared.data.validation or prepared.data.train
        with explained_shortage(recipe, output, loading=True):
            gate = pass_gate(recipe, model, prepared.tokenizer, asked, tell)
    with explained_shortage(recipe, output, loading=True):
        way, why = choose_way(model, DTYPES[recipe.dtype])
    check_split(way, arguments, recipe.adapter.method)
    before = 0.0
    if writes:
        say(why)
        if torch.cuda.device_count() > arguments.world_size:
            say(
                f"{arguments.world_size} of {torch.cuda.device_count()} GPUs is used: accelerate "
                "launch -m crossfoot train takes all"
            )
        if prepared.data.unusable:
            reasons = prepared.data.unusable.most_common()
            say("left out: " + ", ".join(f"{count} {reason}" for reason, count in reasons))
        if trained.left_out:
            say(
                f"{len(trained.left_out)} conversations have rows longer than {recipe.max_tokens} "
                f"tokens and are left out; cutting them instead would lose "
                f"{trained.evidence_cut:.1%} of the numbers that gold programs need"
            )
        run.create()
        given = recipe.model_dump()
        run.write_text("recipe.yaml", yaml.safe_dump(given, sort_keys=False))
        run.write_json("environment.json", environment() | {"base": identity(recipe.model, model)})
        run.write_json("data.json", prepared.summary() | {"way": way})
        run.write_json("args.json", given | arguments.to_sanitized_dict())
        if gate is not None:
            run.write_json("gate.json", {"turns": gate.turns, "correct": gate.correct})
        before = rewind(run, checkpoint)
    trackers.begin(recipe.tracking, output)
    trainer = _trainer(recipe, arguments, model, trained, held_out, way)
    trainer.add_callback(_RunLog(run, recipe, before, progress))
    started = time.perf_counter()
    with explained_shortage(recipe, output, kept=lambda: last_checkpoint(output)):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        duration = before + time.perf_counter() - started
        final = trainer.evaluate() if held_out.trees else {}
    # Parts of a model that is split among processes are put together by all of them.
    whole = trainer.accelerator.get_state_dict(trainer.model_wrapped) if trainer.split else None
    if writes:
        trackers.end(recipe.tracking)
        save_trained(
            model,
            prepared.tokenizer,
            output / FINAL,
            recipe.prompt,
            recipe.target,
            DTYPES[recipe.dtype],
            whole,
        )
        run.write_json("timing.json", _timing(duration, final))
        run.write_text("README.md", model_card(run))
        shutil.rmtree(output / CHECKPOINTS, ignore_errors=True)
        say(f"trained: {output}")
    return run


def _trainer(
    recipe: Recipe,
    arguments: TrainingArguments,
    model: Any,
    trained: Trees,
    held_out: Trees,
    way: Way,
) -> TreeTrainer:
    checkpoint = recipe.checkpointing and way == "fork"
    if checkpoint:  # transformers' own switches caches off
        for name in CHECKPOINTING:
            setattr(arguments, name, False)
    steps = steps_of(trained.trees, recipe, arguments)
    keep_budget(arguments, recipe, steps)
    trainer = TreeTrainer(
        model=model,
        args=arguments,
        steps=steps,
        held_out=held_out.trees,
        batch_tokens=recipe.batch_tokens,
        way=way,
        checkpoint=checkpoint,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


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
    packed = recipe.quantization.model_dump() if method == "qlora" else None
    base = load_model(recipe.model, dtype=dtype, four_bit=packed is not None, packing=packed)
    return add_adapter(base, **recipe.adapter.model_dump())


def _unsloth_model(recipe: Recipe, say: Callable[[str], None]) -> Any:
    """A model of Unsloth's; ValueError where it does not fit the recipe."""
    options = recipe.adapter.model_dump()
    method, start_from = options["method"], options.pop("start_from")
    if method == "qlora" and recipe.quantization != Quantization():
        raise ValueError("it packs weights in its own way, and the recipe has a quantization")
    config, shares = load_config(recipe.model), recipe.rows == "page"
    reason = unsloth.why_not(config, method=method, start_from=start_from, shares=shares)
    if reason:
        raise ValueError(reason)
    model = unsloth.unsloth_adapter(
        recipe.model, dtype=recipe.dtype, max_tokens=recipe.max_tokens, **options
    )
    say("Unsloth's model and adapter")
    return model.train()


def _timing(duration: float, final: dict[str, float]) -> dict[str, Any]:
    timing: dict[str, Any] = {"train_duration_seconds": duration}
    if final:
        timing["eval_duration_seconds"] = final["eval_runtime"]
        timing["eval_loss"] = final["eval_loss"]
    if torch.cuda.is_available():
        timing["cuda_max_memory_bytes"] = torch.cuda.max_memory_allocated()
    return timing
