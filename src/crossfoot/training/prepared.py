"""What a recipe trains on: its data as token trees, and the trees of each optimizer step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import TrainingArguments

from crossfoot.errors import RecipeError
from crossfoot.models.loading import load_config, load_tokenizer
from crossfoot.targets.single import chat_for
from crossfoot.tasks.split import choose
from crossfoot.training.batches import plan_steps
from crossfoot.training.data import TrainingData, Trees, build_trees, load_data
from crossfoot.training.recipe import Recipe
from crossfoot.training.tree import Tree


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe's tokenizer and data, as trees."""

    tokenizer: Any
    data: TrainingData
    trained: Trees
    held_out: Trees  # those of the validation conversations that are scored

    def summary(self) -> dict[str, Any]:
        """What a run says of its data."""
        return {
            "train": self.trained.counts() | {"trees": len(self.trained.trees)},
            "validation": self.held_out.counts() | {"trees": len(self.held_out.trees)},
            "unusable": dict(self.data.unusable.most_common()),
            "validation_ids": [sample.sample_id for sample in self.data.validation],
        }


def prepare(recipe: Recipe) -> Prepared:
    """Read what a recipe trains on; RecipeError where nothing is left of it."""
    tokenizer = load_tokenizer(recipe.model)
    chat = chat_for(tokenizer, recipe.target, recipe.prompt_style)
    data = load_data(recipe)
    trained = build_trees(data.train, chat, recipe, data.told)
    if not trained.trees:
        raise _nothing_to_train_on(trained, recipe)
    _check_context(recipe, trained)
    scored = choose(data.validation, recipe.validation.scored, recipe.validation.seed)
    return Prepared(tokenizer, data, trained, build_trees(scored, chat, recipe))


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


def _nothing_to_train_on(trees: Trees, recipe: Recipe) -> RecipeError:
    if trees.left_out:
        return RecipeError(
            f"every conversation is longer than {recipe.max_tokens} tokens",
            field="max_tokens",
            advice="raise it, or use prompt: short, or an input that shows less",
        )
    return RecipeError("no conversation has a labelled turn to train on", field="data")


def _check_context(recipe: Recipe, trees: Trees) -> None:
    """RecipeError where a row has more tokens than the model has positions."""
    config = load_config(recipe.model).get_text_config()
    context = getattr(config, "max_position_embeddings", None)
    longest = 1 + max(max(tree.depths) for tree in trees.trees)
    if context is not None and longest > context:
        raise RecipeError(
            f"the longest row has {longest} tokens, the model's context {context}",
            field="max_tokens",
            advice=f"max_tokens={context} leaves longer ones out",
        )
