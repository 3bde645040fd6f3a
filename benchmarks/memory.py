"""The estimate of memory against measured peaks, for trainings of the embedded model on this CPU.

    python benchmarks/memory.py

Each setting runs in a process of its own: the model is loaded, and a tree of so many tokens goes
forward and backward three times with an optimizer step after each; ``ru_maxrss`` is the peak. The
constants ``PROCESS`` and ``SPARE`` of crossfoot.training.memory were set by the settings marked
``fit``; the others were not used for it. ``ratio`` is the largest estimate / measurement, or
measurement / estimate, among those others.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig

from crossfoot.cli.quiet import quiet_libraries
from crossfoot.models.loading import resolve
from crossfoot.targets.rows import Row
from crossfoot.training.memory import Memory, estimate
from crossfoot.training.recipe import Recipe
from crossfoot.training.tree import Tree, grow

MODEL = "smollm2-135m"


@dataclass(frozen=True, slots=True)
class Setting:
    """One training; ``fit`` says whether the constants were set by it."""

    method: str
    dtype: str
    tokens: int
    checkpoint: bool = False
    fit: bool = False

    @property
    def recipe(self) -> Recipe:
        return Recipe.model_validate(
            {
                "model": MODEL,
                "dtype": self.dtype,
                "data": [{"task": "synthetic"}],
                "adapter": {"method": self.method, "rank": 32, "alpha": 32},
                "trainer": {"gradient_checkpointing": self.checkpoint},
            }
        )

    def __str__(self) -> str:
        how = ", checkpointing" if self.checkpoint else ""
        return f"{self.method} {self.dtype} {self.tokens} tokens{how}"


SETTINGS = (
    Setting("lora", "bfloat16", 300, fit=True),
    Setting("lora", "bfloat16", 1200, fit=True),
    Setting("none", "bfloat16", 300, fit=True),
    Setting("lora", "bfloat16", 2400, checkpoint=True, fit=True),
    Setting("lora", "bfloat16", 700),
    Setting("lora", "float32", 500),
    Setting("none", "bfloat16", 900),
    Setting("none", "float32", 400, checkpoint=True),
    Setting("qlora", "bfloat16", 500),
)


def page_tree(tokens: int) -> Tree:
    """A page of so many tokens: two fifths shared, three conversations of five targets behind."""
    prompt = tuple(100 + place % 900 for place in range(tokens * 2 // 5))
    rows = []
    for conversation in range(3):
        history = prompt
        for turn in range(5):
            length = (tokens - len(prompt)) // 15
            ids = tuple(1000 + conversation * 100 + (turn + i) % 97 for i in range(length))
            cut = length * 3 // 5
            rows.append(Row("", history + ids[:cut], ids[cut:]))
            history += ids
    return grow(rows)


def measured_peak(setting: Setting) -> int:
    """Peak resident bytes of a process that trains by ``setting``."""
    command = [sys.executable, __file__, "--measure", str(SETTINGS.index(setting))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"memory: {setting} failed: {done.stderr.strip().splitlines()[-1]}")
    return int(done.stdout.split()[-1])


def measure(setting: Setting) -> int:
    """The same, in this process."""
    import resource

    import torch

    from crossfoot.models.adapters import add_adapter
    from crossfoot.models.loading import DTYPES, load_model
    from crossfoot.training.logprobs import computed_in
    from crossfoot.training.sft import tree_loss
    from crossfoot.training.sharing import choose_way

    recipe = setting.recipe
    full = setting.method == "none"
    dtype = "float32" if full else setting.dtype
    model = load_model(MODEL, dtype=dtype, four_bit=setting.method == "qlora")
    model = add_adapter(model, **recipe.adapter.model_dump()).train()
    way, _ = choose_way(model, DTYPES[setting.dtype])
    if setting.checkpoint:
        model.gradient_checkpointing_enable()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    tree = page_tree(setting.tokens)
    for _ in range(3):
        with computed_in(DTYPES[setting.dtype], model.device):
            loss = tree_loss(model, [tree], way)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def compare() -> dict[str, Any]:
    """Estimate and measure every setting; the document of the last line."""
    config = AutoConfig.from_pretrained(resolve(MODEL))
    lines = []
    for setting in SETTINGS:
        memory = estimate(setting.recipe, config, [page_tree(setting.tokens)])
        measured = measured_peak(setting)
        error = memory.total("cpu") / measured - 1
        lines.append({"setting": str(setting), "fit": setting.fit, "error": round(error, 3)})
        lines[-1] |= {"estimated_bytes": memory.total("cpu"), "measured_bytes": measured}
        print(
            f"{setting!s:45} estimated {_gigabytes(memory.total('cpu'))}, measured "
            f"{_gigabytes(measured)}, {error:+.0%}{' (fit)' if setting.fit else ''}   "
            + _parts(memory),
            flush=True,
        )
    others = [line for line in lines if not line["fit"]]
    worst = max(max(1 + line["error"], 1 / (1 + line["error"])) for line in others)
    return {
        "benchmark": "memory",
        "ratio": round(worst, 3),
        "compared": "estimated against measured peak memory, the worst of the settings that were "
        "not used to set the constants; 1 is exact",
        "settings": lines,
    }


def _parts(memory: Memory) -> str:
    names = ("weights", "adapter", "gradients", "optimizer", "activations")
    return ", ".join(f"{name} {getattr(memory, name) / 1e6:.0f}" for name in names)


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.2f} GB"


def main() -> None:
    quiet_libraries()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(measure(SETTINGS[options.measure]))
    else:
        print(json.dumps(compare()))


if __name__ == "__main__":
    main()
