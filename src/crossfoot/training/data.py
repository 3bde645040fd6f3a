"""Samples, rows and chains of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossfoot.chat.template import Chat
from crossfoot.errors import RecipeError
from crossfoot.targets.rows import Chain, Row, build_rows, merge, single_chain
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import choose, validation_split
from crossfoot.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a recipe trains on and what it holds out."""

    train: list[Sample]
    validation: list[Sample]


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains with the counts that a run reports."""

    chains: list[Chain]
    rows: int
    row_tokens: int
    left_out: list[str]  # samples with a chain longer than the limit

    @property
    def tokens(self) -> int:
        """Tokens that are encoded in one epoch."""
        return sum(len(chain.ids) for chain in self.chains)

    @property
    def targets(self) -> int:
        """Tokens that bear loss in one epoch."""
        return sum(chain.targets for chain in self.chains)


def load_data(recipe: Recipe) -> TrainingData:
    """The recipe's conversations; validation is cut by page from the first part, before limits."""
    validation: list[Sample] = []
    train: list[Sample] = []
    for index, part in enumerate(recipe.data):
        samples = load_task(part.task, part.split)
        if index == 0 and recipe.validation.conversations:
            samples, validation = validation_split(
                samples, recipe.validation.conversations, recipe.validation.seed
            )
        held_out = {sample.page.page_id for sample in validation}
        samples = [sample for sample in samples if sample.page.page_id not in held_out]
        if part.limit is not None:
            samples = choose(samples, part.limit, part.seed)
        train += samples
    if not train:
        raise RecipeError("no conversation is left to train on", field="data")
    return TrainingData(train, validation)


def build_chains(samples: Sequence[Sample], chat: Chat, recipe: Recipe) -> Chains:
    """Chains of labelled conversations, one conversation at a time."""
    chains: list[Chain] = []
    left_out: list[str] = []
    rows = row_tokens = 0
    for sample in samples:
        own = build_rows([sample], chat, recipe.prompt)
        mine = _chains(own, recipe)
        if any(len(chain.ids) > recipe.max_tokens for chain in mine):
            left_out.append(sample.sample_id)
            continue
        chains += mine
        rows += len(own)
        row_tokens += sum(len(row.ids) for row in own)
    return Chains(chains, rows, row_tokens, left_out)


def _chains(rows: list[Row], recipe: Recipe) -> list[Chain]:
    if recipe.rows == "conversation":
        return merge(rows)
    return [single_chain(row) for row in rows]
