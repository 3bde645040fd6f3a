"""What a model knows of the pages it was trained on, and of those that recipes hold out.

    crossfoot eval convfinqa --split train --limit 300 --seed 3 --output runs/train
    python benchmarks/seen.py runs/train

splits one evaluation of the training set, finished or not, by whether recipes hold a conversation's
page out (150 conversations, seed 0), and prints both parts side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from crossfoot.evaluation.metrics import summarise
from crossfoot.evaluation.predictions import Prediction
from crossfoot.runs.folder import PREDICTIONS, RunFolder
from crossfoot.tasks.registry import load_task


def main() -> None:
    """One row for each kind of turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    saved = RunFolder(parser.parse_args().run).read_lines(PREDICTIONS)
    predictions = [Prediction.model_validate(record) for record in saved]
    samples = {sample.sample_id: sample for sample in load_task("convfinqa", "train")}
    pages = {sample.page.page_id for sample in load_task("convfinqa", "validation")}
    parts = [
        dict(rows([one for one in predictions if (one.page in pages) == held], samples))
        for held in (False, True)
    ]
    table = Table("turns", "trained on", "held out")
    for name in parts[0] | parts[1]:
        table.add_row(name, *(part.get(name, "") for part in parts))
    Console().print(table)


def rows(predictions: list[Prediction], samples: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and accuracies of one part."""
    asked = [samples[name] for name in dict.fromkeys(one.id for one in predictions)]
    found = summarise(predictions, asked)
    whole = found["graders"]["official"]
    yield "all", f"{told(whole)} ({whole['low']:.1%} to {whole['high']:.1%})"
    yield "all gold operands named", told(found["operands_named"])
    for group in ("by_kind", "by_evidence", "by_position", "after_previous_turn"):
        for name, score in found[group].items():
            yield f"{group.replace('_', ' ')}: {name}", told(score)
    for error, count in found["errors"].items():
        yield f"wrong: {error}", f"{count / whole['total']:.1%} of {whole['total']}"


def told(score: dict[str, Any]) -> str:
    """A share and what it is of."""
    return f"{score['accuracy']:.1%} of {score['total']}"


if __name__ == "__main__":
    main()
