"""A whole evaluation, end to end, by each engine in one run: turns a second and verdicts.

    python benchmarks/evaluate.py [--engines transformers,openvino] [--conversations 40]
                                  [--history own|gold]

The first way is always plain: transformers' ``generate`` in batches, bf16, nothing kept between
turns. ConvFinQA dev where it is present, else synthetic conversations; the embedded model with the
shipped adapter. Turns whose verdict differs from the plain way's are listed; the last line is one
JSON object with ``ratio``, turns a second of the last engine by those of the plain way.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from crossfoot.agent.loop import Setting
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.engines.base import Engine
from crossfoot.engines.build import build_engine, shipped_adapter
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import CrossfootError
from crossfoot.evaluation.evaluate import evaluate, one_engine
from crossfoot.evaluation.predictions import Prediction
from crossfoot.models.embedded import EMBEDDED
from crossfoot.runs.folder import RunFolder
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import choose

PLAIN = "plain generate"


def build(name: str) -> Engine:
    """An engine by name; the plain one keeps nothing and leaves decoding to transformers."""
    engine = build_engine("transformers" if name == PLAIN else name, EMBEDDED, shipped_adapter())
    if name == PLAIN and isinstance(engine, TransformersEngine):
        engine.reuse = engine.plain = False
    return engine


def conversations(count: int) -> tuple[str, list[Sample]]:
    """Conversations of ConvFinQA dev, or synthetic ones."""
    try:
        task, samples = "convfinqa dev", load_task("convfinqa", "dev")
    except CrossfootError:
        task, samples = "synthetic dev", load_task("synthetic", "dev")
    return task, choose(samples, count, 0)


def run(name: str, samples: list[Sample], setting: Setting) -> tuple[float, list[Prediction]]:
    """Seconds of the evaluation, loading apart, and its predictions."""
    engine = build(name)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        predictions = evaluate(
            samples, one_engine(engine), RunFolder(Path(folder)), setting=setting, source={}
        )
        return time.perf_counter() - started, predictions


def is_right(prediction: Prediction) -> bool:
    """Whether its verdict says so."""
    return prediction.verdict is not None and prediction.verdict.correct


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engines", default="transformers,openvino")
    parser.add_argument("--conversations", type=int, default=40)
    parser.add_argument("--history", choices=["own", "gold"], default="own")
    options = parser.parse_args()
    quiet_libraries()
    task, samples = conversations(options.conversations)
    setting = Setting(history=options.history)
    rates: dict[str, float] = {}
    expected: list[Prediction] = []
    result: dict[str, Any] = {"task": task, "conversations": len(samples)}
    for name in (PLAIN, *options.engines.split(",")):
        seconds, predictions = run(name, samples, setting)
        expected = expected or predictions
        right = sum(is_right(item) for item in predictions)
        rates[name] = len(predictions) / seconds
        different = [
            (found, plain)
            for found, plain in zip(predictions, expected, strict=True)
            if is_right(found) != is_right(plain)
        ]
        print(
            f"{name}: {seconds:.1f} s, {rates[name]:.2f} turns/s, {right} of {len(predictions)} "
            f"right, {len(different)} other verdicts",
            flush=True,
        )
        for found, plain in different:
            print(f"  {found.id} turn {found.turn}: {found.answer} instead of {plain.answer}")
        result[name] = {
            "seconds": round(seconds, 1),
            "turns": len(predictions),
            "right": right,
            "same_verdict": round(1 - len(different) / len(predictions), 4),
            "ratio": round(rates[name] / rates[PLAIN], 2),
        }
    last = options.engines.split(",")[-1]
    print(json.dumps(result | {"ratio": result[last]["ratio"]}))


if __name__ == "__main__":
    try:
        main()
    except CrossfootError as error:
        sys.exit(f"{Path(__file__).name}: {error}")
