"""What a training needs, small enough for a test: a model's folder, data, a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import filings
import tiny
from crossfoot.training.recipe import Recipe, load_recipe

PAGES = 6


def write_model(folder: Path, seed: int = 0) -> Path:
    """A random Llama with the tiny tokenizer, as a model's folder."""
    tiny.llama(seed).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def write_data(folder: Path) -> Path:
    """A data folder with a conversation on each of six pages, the later ones longer."""
    records = []
    for number in range(PAGES):
        record = filings.convfinqa_record(number)
        record["filename"] = f"OURS/2016/page_{number}.pdf"
        record["post_text"] = ["cash paid for interest was $ 121.1 in 2016 ."] * (1 + number)
        records.append(record)
    filings.write(folder / "convfinqa" / "train.json", records)
    return folder


def recipe_document(model: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of six steps over the data, a checkpoint at each second one."""
    trainer = {
        "learning_rate": 0.01,
        "num_train_epochs": 3,
        "save_steps": 2,
        "seed": 0,
    }
    document = {
        "model": str(model),
        "dtype": "float32",
        "prompt": "short",
        "data": [{"task": "convfinqa"}],
        "validation": {"conversations": 2, "scored": 2},
        "batch_rows": 10,
        "adapter": {"method": "lora", "rank": 4, "alpha": 8},
        "trainer": trainer | changes.pop("trainer", {}),
    }
    return document | changes


def recipe(model: Path, **changes: Any) -> Recipe:
    """The same, read."""
    return Recipe.model_validate(recipe_document(model, **changes))


def write_recipe(path: Path, model: Path, **changes: Any) -> Path:
    """The same, as a file."""
    path.write_text(yaml.safe_dump(recipe_document(model, **changes)), "utf-8")
    load_recipe(path)
    return path
