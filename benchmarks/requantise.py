"""What a base in 4 bits costs: the tuned model, its matrices rounded to 4 bits once more.

    python benchmarks/requantise.py --output runs/rounded
    crossfoot eval convfinqa --split validation --limit 100 --seed 0 --model runs/rounded \\
        --adapter none --prompt ranked --output runs/rounded-val
    crossfoot compare runs/rounded-val runs/val

The embedded base is a Q4_1 file and its finer weights are not at hand, so that the cost cannot be
measured itself. Here every matrix of the layers, merged with the adapter, is rounded as llama.cpp
does (32 weights a block, a scale and a least value), in blocks of columns: in blocks of rows the
weights are nearly on the grid already. This adds about as much noise as the base has. The last line
is one JSON object with ``ratio``: the norm of what changed, over the norm of the weights.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize

from crossfoot.cli.quiet import quiet_libraries
from crossfoot.models.export import find_tuned, load_tuned
from crossfoot.models.loading import load_tokenizer

KIND = GGMLQuantizationType.Q4_1


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """The nearest weights of a grid of 16 values for each 32 weights of a column."""
    values = dequantize(quantize(weight.float().T.contiguous().numpy(), KIND), KIND)
    return torch.from_numpy(values).T.contiguous().to(weight.dtype)


def round_layers(model: torch.nn.Module) -> float:
    """Round every matrix of the layers in place; how much that changed, relative to their norm."""
    changed = norm = 0.0
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and ".layers." in name:
            new = rounded(module.weight.data)
            changed += float((new - module.weight.data).float().square().sum())
            norm += float(module.weight.data.float().square().sum())
            module.weight.data = new
    return (changed / norm) ** 0.5


def main() -> None:
    quiet_libraries()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="shipped", help="a run, or the shipped adapter")
    parser.add_argument("--output", type=Path, required=True, help="a folder for the model")
    options = parser.parse_args()
    tuned = find_tuned(options.run)
    model = load_tuned(tuned)
    ratio = round_layers(model)
    model.save_pretrained(options.output)
    load_tokenizer(tuned.model).save_pretrained(options.output)
    compared = "what a second rounding to 4 bits changed, over the norm of the weights"
    print(json.dumps({"benchmark": "requantise", "ratio": round(ratio, 4), "compared": compared}))


if __name__ == "__main__":
    main()
