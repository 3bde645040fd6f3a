"""The GPU memory that recipes for models that are not here would need, as their headers say it.

    python benchmarks/recipe_memory.py [convfinqa-qwen3.5-4b-lora ...]

The shapes are those that the models' authors published (models/shapes.py). The micro-batch
is the largest of a step of synthetic pages, in the model's own chat template and in tokens of the
embedded model, filled up to ``batch_tokens``. An estimate for CUDA, compared with no measurement:
see benchmarks/memory.py for what the same estimate is worth on a CPU. Qwen3.5 is counted with the
recurrent layers in plain PyTorch; with flash-linear-attention they need less. The last line is one
JSON object with gigabytes by recipe; its ``ratio`` is the largest of them by the smallest.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from crossfoot.cli.quiet import quiet_libraries
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.loading import load_tokenizer
from crossfoot.models.shapes import SHAPES
from crossfoot.targets.single import chat_for, reason_against
from crossfoot.tasks.synthetic.generate import generate
from crossfoot.training.batches import micro_batches
from crossfoot.training.data import build_trees
from crossfoot.training.memory import estimate
from crossfoot.training.recipe import Recipe, load_recipe
from crossfoot.training.tree import Tree

RECIPES = Path(__file__).parents[1] / "recipes"
PAGES = 100


# The chat template of each model, as TRL packages it.
TEMPLATES = {
    "Qwen/Qwen3.5-4B": "qwen3_5_think",
    "Qwen/Qwen2.5-1.5B-Instruct": "qwen2_5",
    "Qwen/Qwen2.5-3B-Instruct": "qwen2_5",
    "Qwen/Qwen2.5-Coder-3B-Instruct": "qwen2_5",
    "google/gemma-3-1b-it": "gemma3",
    "google/gemma-3-4b-it": "gemma3",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": "deepseek_r1_distill",
}


def micro_batch(recipe: Recipe, template: str) -> list[Tree]:
    """The one with the most tokens there is."""
    tokenizer = load_tokenizer(EMBEDDED)
    tokenizer.chat_template = (files("trl") / "chat_templates" / f"{template}.jinja").read_text()
    samples = generate(PAGES, 0)
    if recipe.single is not None:
        first = [replace(sample, turns=sample.turns[:1]) for sample in samples]
        samples = [sample for sample in first if reason_against(sample, recipe.single) is None]
    chat = chat_for(tokenizer, recipe.target, recipe.prompt_style)
    trees = build_trees(samples, chat, recipe).trees
    batches = micro_batches(trees, recipe.batch_tokens)
    return max(batches, key=lambda batch: len(batch) * len(batch[0]))


def gigabytes(recipe: Recipe) -> float:
    """Estimated peak on a GPU."""
    trees = micro_batch(recipe, TEMPLATES[recipe.model])
    config = SHAPES[recipe.model]()
    memory = estimate(recipe, config, trees, recipe.trainer.get("optim", ""))
    print(f"{sum(map(len, trees))} tokens, activations {memory.activations / 1e9:.1f} GB", end=", ")
    return memory.total("cuda") / 1e9


def main() -> None:
    quiet_libraries()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="recipes; all of them by default")
    names = parser.parse_args().names
    found: dict[str, Any] = {}
    for path in sorted(RECIPES.glob("*.yaml")):
        recipe = load_recipe(path)
        if recipe.model in TEMPLATES and (not names or path.stem in names):
            found[path.stem] = round(gigabytes(recipe), 1)
            print(f"{path.name:45} {found[path.stem]:5.1f} GB", flush=True)
    print(
        json.dumps(
            {
                "benchmark": "recipe_memory",
                "ratio": round(max(found.values()) / min(found.values()), 2),
                "compared": "estimated GPU memory, the recipe that needs most by the one that "
                "needs least",
                "gigabytes": found,
            }
        )
    )


if __name__ == "__main__":
    main()
