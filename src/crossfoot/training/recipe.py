"""Recipes: short YAML files that say one training.

``load_recipe(path, ["trainer.learning_rate=1e-4"])`` reads one; unknown keys are refused with the
nearest known one. Fields under ``trainer:`` are those of transformers' ``TrainingArguments``.
"""

from __future__ import annotations

import difflib
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossfoot.errors import RecipeError

MAX_RECIPE_BYTES = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPart(_Strict):
    """One source of conversations; ``limit`` takes that many, chosen by ``seed``."""

    task: str
    split: str = "train"
    limit: int | None = Field(None, gt=0)
    seed: int = 0


class Validation(_Strict):
    """Conversations of the first data part that are never trained on, cut by page."""

    conversations: int = Field(150, ge=0)
    seed: int = 0
    scored: int = Field(40, ge=0)  # how many of them the held-out loss is measured on


class Adapter(_Strict):
    """LoRA on top of frozen weights (``qlora``: 4-bit ones), or full fine-tuning (``none``)."""

    method: Literal["none", "lora", "qlora"] = "lora"
    rank: int = Field(16, gt=0)
    alpha: int = Field(32, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: str | list[str] = "all-linear"
    start_from: str | None = None  # an adapter or run folder to train on from


class Recipe(_Strict):
    """One supervised fine-tuning."""

    model: str
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    prompt: Literal["short", "long"] = "long"
    data: list[DataPart] = Field(min_length=1)
    validation: Validation = Validation()
    rows: Literal["target", "conversation"] = "conversation"
    max_tokens: int = Field(4096, gt=0)  # longer chains are left out and reported, never cut
    adapter: Adapter = Adapter()
    trainer: dict[str, Any] = {}
    output: str | None = None


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe file and apply ``key=value`` overrides (dots go into sections)."""
    path = Path(path)
    document = _read_yaml(path)
    for override in overrides or []:
        _override(document, override)
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        raise _as_recipe_error(error, path) from error
    _check_trainer(recipe.trainer, path)
    return recipe


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise RecipeError("too large for a recipe", file=path)
        document = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise RecipeError("no such recipe", file=path, advice="see recipes/") from error
    except IsADirectoryError as error:
        raise RecipeError("a folder, not a recipe", file=path) from error
    except UnicodeDecodeError as error:
        raise RecipeError("not a text file", file=path) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError(f"not readable as YAML: {error}", file=path) from error
    if not isinstance(document, dict):
        raise RecipeError("a recipe is a mapping of keys to values", file=path)
    return document


def _override(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise RecipeError(f"{override!r} is not of the form key=value")
    *sections, last = key.split(".")
    place: Any = document
    for section in sections:
        place = place[int(section)] if _indexes(place, section) else place.setdefault(section, {})
        if not isinstance(place, dict | list):
            raise RecipeError(f"{section} has no keys of its own", field=key)
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError("the value is not readable as YAML", field=key) from error
    if isinstance(value, str):  # YAML reads 1e-4 as text
        try:
            value = float(value)
        except ValueError:
            pass
    if _indexes(place, last):
        place[int(last)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise RecipeError("no such item in this list", field=key)


def _indexes(place: Any, key: str) -> bool:
    return isinstance(place, list) and key.isdecimal() and int(key) < len(place)


def _as_recipe_error(error: ValidationError, path: Path) -> RecipeError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        return unknown("key", key, _known_keys(), file=path, field=where)
    return RecipeError(first["msg"], file=path, field=where)


def _known_keys() -> list[str]:
    models: list[type[BaseModel]] = [Recipe, DataPart, Validation, Adapter]
    return [key for model in models for key in model.model_fields]


def _check_trainer(options: dict[str, Any], path: Path) -> None:
    from transformers import TrainingArguments

    known = {field.name for field in fields(TrainingArguments)}
    for key in options:
        if key not in known:
            raise unknown("key", key, sorted(known), file=path, field=f"trainer.{key}")


def unknown(
    what: str, name: str, known: list[str], *, file: Path | None = None, field: str | None = None
) -> RecipeError:
    """The error for a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:12])}"
    return RecipeError(f"unknown {what} {name!r}", file=file, field=field, advice=advice)
