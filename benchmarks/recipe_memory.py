"""The GPU memory that recipes for models that are not here would need, as their headers say it.

    python benchmarks/recipe_memory.py

The shapes below are those that the models' authors published (their config.json). The micro-batch
is the largest of a step of synthetic pages, in the model's own chat template and in tokens of the
embedded model, filled up to ``batch_tokens``. An estimate for CUDA, compared with no measurement:
see benchmarks/memory.py for what the same estimate is worth on a CPU. Qwen3.5 is counted with the
recurrent layers in plain PyTorch; with flash-linear-attention they need less. The last line is one
JSON object with gigabytes by recipe; its ``ratio`` is the largest of them by the smallest.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import Qwen2Config, Qwen3_5Config

from crossfoot.chat.template import Chat
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.models.embedded import EMBEDDED
from crossfoot.models.loading import load_tokenizer
from crossfoot.tasks.synthetic.generate import generate
from crossfoot.training.batches import micro_batches
from crossfoot.training.data import build_trees
from crossfoot.training.memory import estimate
from crossfoot.training.recipe import Recipe, load_recipe
from crossfoot.training.tree import Tree

RECIPES = Path(__file__).parents[1] / "recipes"
PAGES = 100


def qwen2(hidden: int, layers: int, heads: int, inner: int, tied: bool) -> Qwen2Config:
    """Qwen2.5: two heads of keys and values, 151,936 tokens."""
    return Qwen2Config(
        vocab_size=151_936,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=2,
        intermediate_size=inner,
        tie_word_embeddings=tied,
    )


def qwen3_5_4b() -> Qwen3_5Config:
    """Three gated-delta layers to one of attention, with a vision part."""
    return Qwen3_5Config(
        text_config={
            "vocab_size": 248_320,
            "hidden_size": 2560,
            "intermediate_size": 9216,
            "num_hidden_layers": 32,
            "num_attention_heads": 16,
            "num_key_value_heads": 4,
            "head_dim": 256,
            "tie_word_embeddings": True,
        },
        vision_config={"depth": 24, "hidden_size": 1024, "num_heads": 16, "out_hidden_size": 2560},
        tie_word_embeddings=True,
    )


# A model's shape, and its chat template as TRL packages it.
MODELS = {
    "Qwen/Qwen3.5-4B": (qwen3_5_4b(), "qwen3_5_think"),
    "Qwen/Qwen2.5-1.5B-Instruct": (qwen2(1536, 28, 12, 8960, tied=True), "qwen2_5"),
    "Qwen/Qwen2.5-3B-Instruct": (qwen2(2048, 36, 16, 11008, tied=True), "qwen2_5"),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": (
        qwen2(1536, 28, 12, 8960, tied=False),
        "deepseek_r1_distill",
    ),
}


def micro_batch(recipe: Recipe, template: str) -> list[Tree]:
    """The one with the most tokens there is."""
    tokenizer = load_tokenizer(EMBEDDED)
    tokenizer.chat_template = (files("trl") / "chat_templates" / f"{template}.jinja").read_text()
    trees = build_trees(generate(PAGES, 0), Chat(tokenizer), recipe).trees
    batches = micro_batches(trees, recipe.batch_tokens)
    return max(batches, key=lambda batch: len(batch) * len(batch[0]))


def gigabytes(recipe: Recipe) -> float:
    """Estimated peak on a GPU."""
    config, template = MODELS[recipe.model]
    trees = micro_batch(recipe, template)
    memory = estimate(recipe, config, trees, recipe.trainer.get("optim", ""))
    print(f"{sum(map(len, trees))} tokens, activations {memory.activations / 1e9:.1f} GB", end=", ")
    return memory.total("cuda") / 1e9


def main() -> None:
    quiet_libraries()
    found: dict[str, Any] = {}
    for path in sorted(RECIPES.glob("*.yaml")):
        recipe = load_recipe(path)
        if recipe.model in MODELS:
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
