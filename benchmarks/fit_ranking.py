"""Fit the weights of src/crossfoot/pages/ranking.json.

    python benchmarks/fit_ranking.py src/crossfoot/pages/ranking.json

Every turn of the training files of ConvFinQA and FinQA that takes new numbers from its page, pages
of the validation split left out: the cross entropy between the softmax over a page's units and the
units that hold the numbers (those that a ``Cells:`` sentence quotes), by L-BFGS. Prints how often
the first lines hold all new numbers of a turn: of ConvFinQA's turns in two folds by page, fitted
on the other one, and of validation.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from crossfoot.pages.ranking import FEATURES, features, units_of
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from ranking import turns_of

COUNTS = (1, 2, 3, 4)
PENALTY = 1e-3  # on squared weights of standardised features
STEPS = 60


@dataclass
class Turn:
    """The features of a page's units (units, features), and which of them hold the numbers."""

    fold: int
    values: torch.Tensor
    held: torch.Tensor


def turns(samples: list[Sample]) -> list[Turn]:
    found = []
    for sample in samples:
        fold = sha256(sample.page.page_id.encode()).digest()[0] % 2
        for questions, units in turns_of(sample):
            ranked = units_of(sample.page)
            held = torch.tensor([unit.name in units for unit in ranked])
            if held.any():
                found.append(Turn(fold, torch.tensor(features(ranked, questions)), held))
    return found


def fit(data: list[Turn]) -> torch.Tensor:
    """A weight for each feature."""
    spread = torch.cat([turn.values for turn in data]).std(0) + 1e-6
    units = max(len(turn.held) for turn in data)
    values = torch.zeros(len(data), units, len(FEATURES), dtype=torch.float64)
    wanted = torch.zeros(len(data), units, dtype=torch.float64)
    absent = torch.ones(len(data), units, dtype=torch.bool)
    for index, turn in enumerate(data):
        values[index, : len(turn.held)] = turn.values / spread
        wanted[index, : len(turn.held)] = turn.held / turn.held.sum()
        absent[index, : len(turn.held)] = False
    weights = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        shares = (values @ weights).masked_fill(absent, -1e9).log_softmax(-1)
        total = -(wanted * shares).sum(-1).mean() + PENALTY * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)
    return weights.detach() / spread


def report(title: str, tested: list[tuple[torch.Tensor, Turn]]) -> None:
    """How many of the turns have all they need in so many lines."""
    shares = []
    for count in COUNTS:
        found = 0
        for weights, turn in tested:
            best = np.argsort(-(turn.values @ weights).numpy(), kind="stable")[:count]
            found += bool(turn.held[best.copy()].sum() == turn.held.sum())
        shares.append(f"{count} lines {found / len(tested):.1%}")
    print(f"{title}, {len(tested)} turns: {', '.join(shares)}", flush=True)


def main() -> None:
    held_out = load_task("convfinqa", "validation")
    pages = {sample.page.page_id for sample in held_out}
    samples = {
        (task, split): [s for s in load_task(task, split) if s.page.page_id not in pages]
        for task in ("convfinqa", "finqa")
        for split in ("train", "train_partial")
    }
    conversations = turns(samples["convfinqa", "train"])
    data = [turn for part in samples.values() for turn in turns(part)]
    folds = [fit([turn for turn in data if turn.fold != fold]) for fold in (0, 1)]
    report("the other fold", [(folds[turn.fold], turn) for turn in conversations])
    weights = fit(data)
    report("validation", [(weights, turn) for turn in turns(held_out)])
    document = {
        name: round(float(w), 4) for name, w in zip(FEATURES, weights.tolist(), strict=True)
    }
    Path(sys.argv[1]).write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    print(f"{len(data):,} turns of {len(FEATURES)} features, {sys.argv[1]} written")


if __name__ == "__main__":
    main()
