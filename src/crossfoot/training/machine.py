"""What a recipe asks of this machine, refused in one line before anything starts."""

from __future__ import annotations

import psutil
import torch
from transformers import Trainer, TrainingArguments

from crossfoot.errors import RecipeError
from crossfoot.models.loading import FSDP, launched_with, native_dtype
from crossfoot.training.logprobs import Way
from crossfoot.training.recipe import Recipe

_SPLIT = (FSDP, "ACCELERATE_USE_DEEPSPEED")


def check_dtype(recipe: Recipe) -> None:
    """RecipeError for bfloat16 on a GPU that computes it only by emulation (before Ampere)."""
    if recipe.dtype == "bfloat16" and native_dtype() != "bfloat16":
        name = torch.cuda.get_device_name()
        raise RecipeError(f"{name} has no bfloat16", field="dtype", advice="add dtype=float16")


def check_split(way: Way, arguments: TrainingArguments, method: str) -> None:
    """RecipeError where FSDP or DeepSpeed would wait for ever, or split nothing.

    Every pass through a split model is an exchange of all processes, so that each needs as many.
    Only ``tree`` has one pass for each micro-batch. 4-bit weights are not split.
    """
    if not (any(map(launched_with, _SPLIT)) or arguments.fsdp or arguments.deepspeed):
        return
    if method == "qlora":
        raise RecipeError(
            "FSDP and DeepSpeed do not split 4-bit weights",
            field="adapter.method",
            advice="use accelerate launch without them, or method lora",
        )
    if way != "tree":
        raise RecipeError(
            "FSDP and DeepSpeed need a model whose page is one pass (attention layers only)",
            field="model",
            advice="use accelerate launch without them: every process then holds the model",
        )


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


def free_bytes(device: str) -> int:
    """Bytes of memory that are free: the GPU's, or the machine's for ``cpu``."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)
