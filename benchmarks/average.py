"""The mean of adapters that come from one another: checkpoints of a run, or stages.

    python benchmarks/average.py runs/mine/checkpoint-180 runs/mine/final_model --output runs/mean
    crossfoot eval convfinqa --split validation --limit 100 --seed 0 --adapter runs/mean \\
        --output runs/mean-val
    crossfoot compare runs/mean-val runs/val

Both factors of each LoRA matrix are averaged, as for stochastic weight averaging (Izmailov et al.
2018); adapters of one shape and rank. The last line is one JSON object with ``ratio``: the norm of
the mean's distance from the last adapter, over the norm of that adapter.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from crossfoot.models.loading import WEIGHTS
from crossfoot.models.prompts import PROMPT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapters", type=Path, nargs="+", help="folders of adapters")
    parser.add_argument("--output", type=Path, required=True, help="a folder for their mean")
    options = parser.parse_args()
    parts = [load_file(folder / WEIGHTS) for folder in options.adapters]
    mean = {name: torch.stack([part[name] for part in parts]).mean(0) for name in parts[-1]}
    options.output.mkdir(parents=True)
    save_file(mean, options.output / WEIGHTS)
    for name in ("adapter_config.json", PROMPT):
        shutil.copy(options.adapters[-1] / name, options.output)
    far = sum(float((mean[name] - last).square().sum()) for name, last in parts[-1].items())
    norm = sum(float(last.square().sum()) for last in parts[-1].values())
    compared = "distance of the mean from the last adapter, over that adapter's norm"
    print(
        json.dumps(
            {"benchmark": "average", "ratio": round((far / norm) ** 0.5, 4), "compared": compared}
        )
    )


if __name__ == "__main__":
    main()
