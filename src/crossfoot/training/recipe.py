"""Recipes: short YAML files that say one training.

``load_recipe("recipes/convfinqa-smollm2-135m.yaml", ["trainer.learning_rate=1e-4"])`` reads one;
unknown keys are refused with the nearest known one. Fields under ``trainer:`` are those of
transformers' ``TrainingArguments``.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from crossfoot.chat.prompt import PromptForm
from crossfoot.errors import RecipeError
from crossfoot.targets.context import ContextOptions, Input
from crossfoot.targets.single import PromptStyle, Single, Target
from crossfoot.training.sections import (
    Adapter,
    DataPart,
    Generation,
    Quantization,
    Section,
    Tracking,
    Validation,
)

MAX_RECIPE_BYTES = 1_000_000
# transformers' two names of one setting; the first goes with version 6.
CHECKPOINTING = ("gradient_checkpointing", "activation_checkpointing")
_OWN_TRAINER_KEYS = {
    "output_dir": "use --output",
    "report_to": "use tracking.report_to",
    "remove_unused_columns": "leave it out",
    "per_device_train_batch_size": "use batch_rows for a step, batch_tokens for a micro-batch",
    "gradient_accumulation_steps": "use batch_rows, the rows of an optimizer step",
}


class _Loader(yaml.SafeLoader):
    """YAML in which 1e-4 is a number, as everywhere but in YAML 1.1."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


class Recipe(Section):
    """One supervised fine-tuning.

    ``dtype`` is what is computed in; weights that are all trained are held in float32. ``target``
    and ``input`` other than ``tool`` and ``all`` are for single questions (targets/single.py).
    """

    model: str
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    prompt: PromptForm = "long"
    prompt_style: PromptStyle = "instruct"  # base: text to continue, for models without template
    target: Target = "tool"
    input: Input = "all"
    text_distractors: int = Field(default=3, ge=0)  # of noisy_gold
    table_distractors: int = Field(default=2, ge=0)
    context_seed: int = 0
    budget: int = Field(default=10, gt=0)  # of retrieved: paragraphs and rows
    data: list[DataPart] = Field(min_length=1)
    validation: Validation = Validation()
    train_tokens: int | None = Field(default=None, gt=0)  # encoded tokens, instead of epochs
    rows: Literal["page", "target"] = "page"  # a page's rows as one tree, or one by one
    max_tokens: int = Field(4096, gt=0)  # longer rows are left out and reported, never cut
    batch_rows: int = Field(64, gt=0)  # of an optimizer step, about; trees are not split for it
    batch_tokens: int = Field(4096, gt=0)  # of a micro-batch
    adapter: Adapter = Adapter()
    quantization: Quantization = Quantization()
    trainer: dict[str, Any] = Field(default_factory=dict)
    generation: Generation = Generation()
    tracking: Tracking = Tracking()
    gate: Literal["off", "warn", "stop"] = "off"  # where the base model answers nothing right
    gate_sample: int = Field(default=50, gt=0)
    output: str | None = None  # {input} and {target} stand for these keys

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if self.target == "tool" and self.prompt_style == "base":
            raise ValueError("tool calls need a chat template: prompt_style base has none")
        if self.generation.constrained and self.target == "answer":
            raise ValueError("answer strings have no format: leave generation.constrained out")
        if self.train_tokens is not None and "max_steps" in self.trainer:
            raise ValueError("train_tokens and trainer.max_steps contradict each other")
        return self

    @property
    def single(self) -> Single | None:
        """How single questions are put; None where whole conversations are trained on."""
        if self.target == "tool" and self.input == "all":
            return None
        context = ContextOptions(
            self.input,
            self.text_distractors,
            self.table_distractors,
            self.context_seed,
            self.budget,
        )
        return Single(self.target, context)

    @property
    def folder(self) -> str | None:
        """``output`` with what stands in braces filled in."""
        if self.output is None:
            return None
        return self.output.replace("{input}", self.input).replace("{target}", self.target)

    @property
    def checkpointing(self) -> bool:
        """Whether activations are computed again in the backward pass instead of kept."""
        return any(bool(self.trainer.get(name)) for name in CHECKPOINTING)


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
        document = _parse_yaml(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise RecipeError("no such recipe", file=path, advice="see recipes/") from error
    except IsADirectoryError as error:
        raise RecipeError("a folder, not a recipe", file=path) from error
    except UnicodeDecodeError as error:
        raise RecipeError("not a text file", file=path) from error
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror}", file=path) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError(f"not readable as YAML: {error}", file=path) from error
    if not isinstance(document, dict):
        raise RecipeError("a recipe is a mapping of keys to values", file=path)
    return document


def _parse_yaml(text: str) -> Any:
    return yaml.load(text, _Loader)  # a subclass of SafeLoader


def _override(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise RecipeError(f"{override!r} is not of the form key=value")
    *sections, last = key.split(".")
    place: Any = document
    for section in sections:
        place = _section(place, section, key)
    try:
        value = _parse_yaml(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError("the value is not readable as YAML", field=key) from error
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    else:
        place[last] = value


def _section(place: Any, name: str, key: str) -> Any:
    """The part of a mapping or list that ``name`` leads to; mappings get it where they lack it."""
    if isinstance(place, list):
        inside = place[_index(place, name, key)]
    else:
        inside = place.setdefault(name, {})
    if not isinstance(inside, dict | list):
        raise RecipeError(f"{name} has no keys of its own", field=key)
    return inside


def _index(items: list[Any], name: str, key: str) -> int:
    if not (name.isascii() and name.isdigit() and int(name[:9]) < len(items)):
        raise RecipeError(
            f"no item {name!r} in this list", field=key, advice=f"it has {len(items)}, from 0 on"
        )
    return int(name[:9])


def _as_recipe_error(error: ValidationError, path: Path) -> RecipeError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return unknown(
            "key", str(first["loc"][-1]), _known_keys(first["loc"]), file=path, field=where
        )
    return RecipeError(first["msg"].removeprefix("Value error, "), file=path, field=where or None)


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys of the section that ``location`` is in; at the top those of ``trainer:`` as well."""
    sections: dict[Any, type[BaseModel]] = {
        "data": DataPart,
        "validation": Validation,
        "adapter": Adapter,
        "quantization": Quantization,
        "generation": Generation,
        "tracking": Tracking,
    }
    if len(location) > 1:
        return list(sections[location[0]].model_fields)
    inside: dict[str, Any] = {name: part.model_fields for name, part in sections.items()}
    inside |= {"trainer": _trainer_keys()}
    return [*Recipe.model_fields, *(f"{name}.{key}" for name in inside for key in inside[name])]


def _trainer_keys() -> dict[str, Any]:
    """The fields of ``TrainingArguments`` with their defaults."""
    from transformers import TrainingArguments

    return {field.name: field.default for field in fields(TrainingArguments) if field.init}


def _check_trainer(options: dict[str, Any], path: Path) -> None:
    known = _trainer_keys()
    for key, value in options.items():
        field = f"trainer.{key}"
        if key not in known:
            raise unknown("key", key, sorted(known), file=path, field=field)
        if key in _OWN_TRAINER_KEYS:
            advice = _OWN_TRAINER_KEYS[key]
            raise RecipeError("Crossfoot sets this itself", file=path, field=field, advice=advice)
        if key.endswith("_token"):
            raise RecipeError(
                "a key does not belong in a recipe, which every run folder gets a copy of",
                file=path,
                field=field,
                advice="put it in the environment (HF_TOKEN)",
            )
        if isinstance(known[key], int | float) and not isinstance(value, int | float | None):
            kind = "true or false" if isinstance(known[key], bool) else "a number"
            raise RecipeError(f"should be {kind}", file=path, field=field)


def unknown(
    what: str, name: str, known: list[str], *, file: Path | None = None, field: str | None = None
) -> RecipeError:
    """The error for a name that does not exist, with the nearest that does."""
    near = [key for key in known if key.rpartition(".")[2] == name]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:12])}"
    return RecipeError(f"unknown {what} {name[:60]!r}", file=file, field=field, advice=advice)
