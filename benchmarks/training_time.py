"""The time that ``crossfoot train --dry-run`` estimates against trainings of the embedded model.

    python benchmarks/training_time.py [--conversations 2]

Each setting is planned, and trained for two steps on synthetic pages, of which the second counts;
in one thread, in seconds of the processor, so that other work on the machine does not count.
``exact_efficiency`` is the constant ``EFFICIENCY`` of crossfoot.training.speed that would have made
an estimate exact. ``ratio`` is the largest estimate / measurement, or measurement / estimate; 1 is
exact.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from crossfoot.cli.quiet import quiet_libraries
from crossfoot.training.plan import plan
from crossfoot.training.recipe import Recipe
from crossfoot.training.speed import EFFICIENCY, clock_of
from crossfoot.training.train import train

# By name: what differs from LoRA over pages in bfloat16.
SETTINGS: dict[str, dict[str, Any]] = {
    "pages": {},
    "pages, long instructions": {"prompt": "long"},
    "pages, checkpointing": {"trainer": {"gradient_checkpointing": True}},
    "pages, all weights": {"adapter": {"method": "none"}},
}


def recipe(changes: dict[str, Any], conversations: int) -> Recipe:
    """Two epochs of one step over so many conversations."""
    document: dict[str, Any] = {
        "model": "smollm2-135m",
        "prompt": "short",
        "data": [{"task": "synthetic", "limit": conversations}],
        "validation": {"conversations": 0},
        "batch_rows": 1000,
        "adapter": {"method": "lora", "rank": 32, "alpha": 32},
    }
    trainer = {"num_train_epochs": 2} | changes.get("trainer", {})
    return Recipe.model_validate(document | changes | {"trainer": trainer})


def measured(of: Recipe) -> float:
    """Seconds of the second step, by the processor's clock."""
    clock = clock_of("cpu")
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train(of, Path(folder) / "run", progress=lambda *_: ends.append(clock()))
    return ends[1] - ends[0]


def compared(name: str, conversations: int) -> dict[str, Any]:
    """The plan of a setting beside its measurement, both of one step."""
    of = recipe(SETTINGS[name], conversations)
    planned, seconds = plan(of), measured(of)
    attention = planned.attention_seconds / planned.steps
    rest = planned.seconds / planned.steps - attention
    return {
        "setting": name,
        "tokens": planned.tokens,
        "estimated_seconds": round(attention + rest, 1),
        "attention_seconds": round(attention, 1),
        "measured_seconds": round(seconds, 1),
        "estimate_by_measurement": round((attention + rest) / seconds, 2),
        # The EFFICIENCY that would have made the estimate exact.
        "exact_efficiency": round(EFFICIENCY * rest / max(seconds - attention, 0.1), 2),
        "gigaflops": round(planned.gigaflops),
    }


def main() -> None:
    quiet_libraries()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=2)
    conversations = parser.parse_args().conversations
    torch.set_num_threads(1)
    lines = []
    for name in SETTINGS:
        lines.append(compared(name, conversations))
        print(json.dumps(lines[-1]), flush=True)
    found = [line["estimate_by_measurement"] for line in lines]
    print(
        json.dumps(
            {
                "benchmark": "training_time",
                "ratio": round(max(max(one, 1 / one) for one in found), 2),
                "compared": "estimated against measured seconds of a training, the worst of the "
                "settings; 1 is exact",
                "settings": lines,
            }
        )
    )


if __name__ == "__main__":
    main()
