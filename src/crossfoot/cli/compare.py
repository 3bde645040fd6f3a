"""``crossfoot compare RUN RUN``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crossfoot.cli.output import print_json


def compare(
    first: Annotated[Path, typer.Argument(help="A run folder with predictions.")],
    second: Annotated[Path, typer.Argument(help="Another, on the same conversations.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """The official accuracy of FIRST minus that of SECOND, turn by turn, over whole pages."""
    from rich.console import Console

    from crossfoot.errors import DataError
    from crossfoot.evaluation.intervals import paired_permutation
    from crossfoot.evaluation.predictions import read_predictions
    from crossfoot.runs.folder import PREDICTIONS

    ours, theirs = (read_predictions(run / PREDICTIONS) for run in (first, second))
    if not ours or [(p.id, p.turn) for p in ours] != [(p.id, p.turn) for p in theirs]:
        raise DataError(
            f"the runs hold predictions for different turns ({len(ours)} and {len(theirs)})",
            file=second,
            advice="evaluate both with the same task, --split, --limit and --seed",
        )
    right = [
        [float(p.verdict is not None and p.verdict.correct) for p in run] for run in (ours, theirs)
    ]
    found = paired_permutation(right[0], right[1], [p.page for p in ours])
    document = {
        "turns": len(ours),
        "first": sum(right[0]) / len(ours),
        "second": sum(right[1]) / len(ours),
        **asdict(found),
    }
    if json:
        print_json(document)
    else:
        Console(highlight=False).print(
            f"{first}: {document['first']:.1%}   {second}: {document['second']:.1%}\n"
            f"difference {found.difference:+.1%} (95% interval {found.low:+.1%} to "
            f"{found.high:+.1%}, p = {found.p_value:.4f}) over {len(ours)} turns",
            markup=False,
        )
