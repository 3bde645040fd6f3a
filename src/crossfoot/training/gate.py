"""Does the base model answer anything right before it is trained?

A model that scores next to nothing without tuning may be too small to be worth the hours. A small
sample of the validation questions is put as the recipe puts them, and answered greedily by what
the training begins with: the base, with the adapter that it goes on from. The embedded model scores
0% and learns all the same (docs/log.md), so that a recipe has to ask for this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from crossfoot.agent.loop import Limits, Setting, run_batch
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import RecipeError
from crossfoot.grading.verdict import grade
from crossfoot.models.loading import DTYPES
from crossfoot.targets.single import chat_for
from crossfoot.tasks.base import Sample
from crossfoot.tasks.split import choose
from crossfoot.training.fitting import larger_model
from crossfoot.training.logprobs import computed_in
from crossfoot.training.machine import free_bytes
from crossfoot.training.recipe import Recipe

LEAST = 0.02
BATCH = 8


@dataclass(frozen=True, slots=True)
class Gate:
    """How the base model did: turns, and those that the official rule calls right."""

    turns: int
    correct: int

    @property
    def accuracy(self) -> float:
        """Of all turns."""
        return self.correct / max(self.turns, 1)


def pass_gate(
    recipe: Recipe, model: Any, tokenizer: Any, samples: list[Sample], say: Callable[[str], None]
) -> Gate | None:
    """Ask the base ``model``; RecipeError under two percent where the gate is ``stop``."""
    if recipe.gate == "off":
        return None
    found = ask(recipe, model, tokenizer, choose(samples, recipe.gate_sample, 0))
    said = f"the base model answers {found.correct} of {found.turns} turns right"
    if found.accuracy >= LEAST:
        say(said)
        return found
    larger = larger_model(recipe, free_bytes("cuda" if torch.cuda.is_available() else "cpu"))
    advice = (
        f"a larger one that this machine holds is {larger} (model={larger})"
        if larger
        else "this machine holds no larger model that we know"
    )
    if recipe.gate == "stop":
        raise RecipeError(
            f"{said}, under {LEAST:.0%}", field="gate", advice=f"{advice}; gate=warn goes on"
        )
    say(f"{said}, under {LEAST:.0%}: {advice}")
    return found


def ask(recipe: Recipe, model: Any, tokenizer: Any, samples: list[Sample]) -> Gate:
    """Questions put as the recipe puts them, answered greedily."""
    chat = chat_for(tokenizer, recipe.target, recipe.prompt_style)
    training = model.training
    engine = TransformersEngine(model.eval(), chat)
    limits = Limits(new_tokens=recipe.generation.max_new_tokens)
    setting = Setting(form=recipe.prompt, limits=limits, single=recipe.single)
    turns = correct = 0
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
        with computed_in(DTYPES[recipe.dtype], model.device):
            replies = run_batch(batch, engine, setting)
        for sample, transcripts in zip(batch, replies, strict=True):
            for turn, transcript in zip(sample.turns, transcripts, strict=True):
                if turn.gold is not None:
                    turns += 1
                    correct += grade(transcript.submission, turn.gold).correct
    model.train(training)
    return Gate(turns, correct)
