"""What an evaluation leaves in its run folder when every question is answered.

``test_metrics.json`` holds what was evaluated, accuracies and ``inference_*`` times;
``timing.json`` gets ``test_inference_seconds`` and, on a GPU, the memory's peak beside the times of
the training, if there was one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from crossfoot.agent.loop import Setting
from crossfoot.evaluation.evaluate import LATENCIES, inference_seconds
from crossfoot.evaluation.metrics import summarise
from crossfoot.evaluation.predictions import Prediction
from crossfoot.models.card import model_card
from crossfoot.reports.trackers import report_evaluation
from crossfoot.runs.folder import RunFolder, environment
from crossfoot.tasks.base import Sample
from crossfoot.training.sections import Tracking

METRICS = "test_metrics.json"


def finish(
    run: RunFolder,
    predictions: Sequence[Prediction],
    samples: Sequence[Sample],
    source: dict[str, Any],
    setting: Setting,
    batch_size: int,
    tracking: Tracking,
) -> dict[str, Any]:
    """Write metrics, times and what the machine was; a training's card gets its results."""
    single = setting.single
    context = single.context if single is not None else None
    seconds = inference_seconds(predictions, batch_size)
    put = {
        "target": single.target if single is not None else "tool",
        "input": context.input if context is not None else "all",
        "prompt": setting.form,
        "history": setting.history,
        "few_shot": setting.few_shot,
    }
    metrics = {
        **source,
        **put,
        **summarise(predictions, samples, context=context),
        "inference_total_seconds": seconds,
        "latency_file": LATENCIES,
    }
    run.write_json(METRICS, metrics)
    timing = run.read_json("timing.json") if (run.path / "timing.json").is_file() else {}
    timing |= {"test_inference_seconds": seconds} | _gpu_memory()
    run.write_json("timing.json", timing)
    trained = (run.path / "recipe.yaml").is_file()
    # That of the training says what the weights were made with, and stays.
    run.write_json("test_environment.json" if trained else "environment.json", environment())
    if trained:
        run.write_text("README.md", model_card(run))
    report_evaluation(tracking, run, metrics, [one.latency_ms for one in predictions])
    return metrics


def _gpu_memory() -> dict[str, int]:
    """The peak of this process on a GPU, if it computed on one; a server's is its own."""
    torch = sys.modules.get("torch")  # which an evaluation through a server never loads
    if torch is None or not torch.cuda.is_available():
        return {}
    peak = torch.cuda.max_memory_allocated()
    return {"test_cuda_max_memory_bytes": peak} if peak else {}
