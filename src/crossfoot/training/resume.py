"""Going on with a training: what a run folder must hold, and from where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from crossfoot.errors import RecipeError
from crossfoot.runs.folder import FINAL, RunFolder
from crossfoot.training.arguments import CHECKPOINTS
from crossfoot.training.recipe import CHECKPOINTING, Recipe

METRICS, TRAIN_LOSS, EVAL_LOSS = "metrics.jsonl", "train_loss.log", "eval_loss.log"


def check_folder(run: RunFolder, recipe: Recipe, resume: bool) -> None:
    """A finished or foreign folder is never overwritten."""
    if (run.path / FINAL).exists():
        raise RecipeError(
            "a finished run lies here", file=run.path, advice="choose another --output"
        )
    started = run.path / "recipe.yaml"
    if not started.is_file():
        if run.path.is_dir() and any(run.path.iterdir()):
            raise RecipeError(
                "this folder holds something else than a training",
                file=run.path,
                advice="choose another --output",
            )
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
    for name in CHECKPOINTING:
        document["trainer"].pop(name, None)
    return document


def last_checkpoint(output: Path) -> Path | None:
    """The last whole checkpoint; Trainer writes ``trainer_state.json`` last."""
    whole: dict[int, Path] = {}
    for state in (output / CHECKPOINTS).glob("checkpoint-*/trainer_state.json"):
        try:
            whole[json.loads(state.read_text("utf-8"))["global_step"]] = state.parent
        except ValueError:
            continue
    return whole[max(whole)] if whole else None


def rewind(run: RunFolder, checkpoint: Path | None) -> float:
    """Drop what was logged after the checkpoint; the seconds of training that it took."""
    step = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
    for name in (METRICS, TRAIN_LOSS, EVAL_LOSS):
        run.write_lines(name, [line for line in run.read_lines(name) if line["step"] <= step])
    kept = run.read_lines(METRICS)
    return float(kept[-1].get("seconds", 0)) if kept else 0.0
