"""Weights & Biases, TensorBoard and Trackio, beside the files of a run folder.

A recipe's ``tracking: {report_to: [wandb]}`` reports the training through transformers' own
callbacks, and each evaluation of the run through ``report_evaluation``: its metrics, its times and
a histogram of the latencies. W&B stays offline unless told otherwise (``wandb sync`` sends a run
later). W&B and TensorBoard write into the run folder, Trackio into its own (``TRACKIO_DIR``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossfoot.errors import RecipeError
from crossfoot.runs.folder import RunFolder
from crossfoot.training.sections import Tracking

LATENCY = "test/inference_latency_ms"


def check_trackers(tracking: Tracking) -> None:
    """RecipeError for a tracker that is not installed."""
    for name in tracking.report_to:
        if find_spec(name) is None:
            raise RecipeError(
                f"{name} is not installed",
                field="tracking.report_to",
                advice="pip install 'crossfoot[track]', or leave it out",
            )


def begin(tracking: Tracking, folder: Path) -> None:
    """Tell the callbacks of the training where they write; what the user has set stays."""
    for name, value in {
        "WANDB_PROJECT": tracking.project,
        "WANDB_MODE": tracking.wandb_mode,
        "WANDB_DIR": str(folder),
        "WANDB_NAME": folder.name,
        "WANDB_SILENT": "true",
        "TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard"),
    }.items():
        if tracking.report_to:
            os.environ.setdefault(name, value)


def end(tracking: Tracking) -> None:
    """Close what the callbacks leave open."""
    if "wandb" in tracking.report_to:
        import wandb

        wandb.finish()


def report_evaluation(
    tracking: Tracking, run: RunFolder, metrics: Mapping[str, Any], latencies: Sequence[float]
) -> None:
    """Report an evaluation to every tracker of a run."""
    check_trackers(tracking)
    begin(tracking, run.path)
    timing = run.read_json("timing.json") if (run.path / "timing.json").is_file() else {}
    scalars = dict(_scalars({"test": metrics, "timing": timing}))
    for name in tracking.report_to:
        TRACKERS[name](tracking, run.path, scalars, latencies)


def _scalars(document: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a document, by the path to it; truth values are none."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _scalars(value, f"{path}/{key}" if path else key)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield path, float(document)


def _wandb(
    tracking: Tracking, folder: Path, scalars: dict[str, float], latencies: Sequence[float]
) -> None:
    import wandb

    run = wandb.init(
        project=tracking.project,
        name=f"{folder.name}-test",
        group=folder.name,
        dir=os.environ["WANDB_DIR"],
    )
    run.log({**scalars, LATENCY: wandb.Histogram(list(latencies))})
    run.finish()


def _tensorboard(
    tracking: Tracking, folder: Path, scalars: dict[str, float], latencies: Sequence[float]
) -> None:
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(log_dir=str(folder / "tensorboard")) as writer:
        for name, value in scalars.items():
            writer.add_scalar(name, value)
        writer.add_histogram(LATENCY, np.asarray(latencies))


def _trackio(
    tracking: Tracking, folder: Path, scalars: dict[str, float], latencies: Sequence[float]
) -> None:
    import trackio

    trackio.init(
        project=tracking.project, name=f"{folder.name}-test", group=folder.name, embed=False
    )
    trackio.log({**scalars, LATENCY: trackio.Histogram(list(latencies))})
    trackio.finish()


TRACKERS: dict[str, Callable[[Tracking, Path, dict[str, float], Sequence[float]], None]] = {
    "wandb": _wandb,
    "tensorboard": _tensorboard,
    "trackio": _trackio,
}
