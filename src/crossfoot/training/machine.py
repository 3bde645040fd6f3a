"""What a recipe asks of this machine, refused in one line before anything starts."""

from __future__ import annotations

import torch
from transformers import Trainer, TrainingArguments

from crossfoot.errors import RecipeError
from crossfoot.training.recipe import Recipe


def check_dtype(recipe: Recipe) -> None:
    """RecipeError for bfloat16 on a GPU that computes it only by emulation (before Ampere)."""
    if recipe.dtype != "bfloat16" or not torch.cuda.is_available():
        return
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name()
        raise RecipeError(f"{name} has no bfloat16", field="dtype", advice="add dtype=float16")


def check_optimizer(arguments: TrainingArguments) -> None:
    """RecipeError for an optimizer whose package is missing."""
    try:
        Trainer.get_optimizer_cls_and_kwargs(arguments)
    except (ImportError, ValueError, RuntimeError) as error:
        said = str(error).strip().splitlines()[0]
        extra = "pip install 'crossfoot[quant]', or " if "bitsandbytes" in said else ""
        raise RecipeError(
            said, field="trainer.optim", advice=f"{extra}leave trainer.optim out"
        ) from error
