"""A whole evaluation, end to end, by each engine in one run: turns a second and verdicts.

    python benchmarks/evaluate.py [--engines transformers,openvino] [--conversations 40]
                                  [--history own|gold] [--held]

The first way is always plain: transformers' ``generate`` in batches, bf16, nothing kept between
turns. ``float32`` among the engines is our transformers engine in float32: what rounding alone
does to verdicts. With ``--held`` quotes are held to the page and weighed by their ranking, as
``ask`` does it. ConvFinQA dev where it is present, else synthetic conversations; the embedded
model with the shipped adapter. Turns whose verdict differs from the plain way's are listed; what
memory allows is told by bandwidth.py. The last line is one JSON object with ``ratio``, turns a
second of the last engine by those of the plain way.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bandwidth import bandwidth
from crossfoot.agent.loop import Setting
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.engines.base import Engine
from crossfoot.engines.build import Wanted, build_engine, shipped_adapter
from crossfoot.engines.local import TransformersEngine
from crossfoot.errors import CrossfootError
from crossfoot.evaluation.evaluate import evaluate, one_engine
from crossfoot.evaluation.predictions import Prediction
from crossfoot.models.embedded import EMBEDDED, embedded_model
from crossfoot.models.prompts import prompt_of
from crossfoot.runs.folder import RunFolder
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import choose

PLAIN = "plain generate"
FLOAT32 = "float32"
BATCH_SIZE = 16


def build(name: str, setting: Setting, held: bool) -> Engine:
    """An engine by name; the plain one keeps nothing and leaves decoding to transformers."""
    wanted = Wanted(
        EMBEDDED,
        shipped_adapter(),
        dtype="float32" if name == FLOAT32 else "bfloat16",
        constrained=held,
        line_prior=held,
        prompt=setting.form,
    )
    engine = build_engine("transformers" if name in (PLAIN, FLOAT32) else name, wanted)
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


def run(
    name: str, samples: list[Sample], setting: Setting, held: bool
) -> tuple[float, list[Prediction]]:
    """Seconds of the evaluation, loading apart, and its predictions."""
    engine = build(name, setting, held)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        predictions = evaluate(
            samples,
            one_engine(engine),
            RunFolder(Path(folder)),
            setting=setting,
            source={},
            batch_size=BATCH_SIZE,
        )
        return time.perf_counter() - started, predictions


def tokens_allowed(conversations: int) -> float:
    """New tokens a second that memory allows to as many conversations as are decoded together."""
    weights = sum(file.stat().st_size for file in embedded_model().glob("*.safetensors"))
    return bandwidth() / weights * min(conversations, BATCH_SIZE)


def is_right(prediction: Prediction) -> bool:
    """Whether its verdict says so."""
    return prediction.verdict is not None and prediction.verdict.correct


def told(prediction: Prediction) -> str:
    """An answer and its verdict."""
    answer = prediction.answer
    said = "no answer" if answer is None else f"{answer.value} {answer.unit}"
    return f"{said} ({'right' if is_right(prediction) else 'wrong'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engines", default="transformers,openvino")
    parser.add_argument("--conversations", type=int, default=40)
    parser.add_argument("--history", choices=["own", "gold"], default="own")
    parser.add_argument("--held", action="store_true")
    options = parser.parse_args()
    quiet_libraries()
    task, samples = conversations(options.conversations)
    setting = Setting(prompt_of(None, shipped_adapter()), history=options.history)
    rates: dict[str, float] = {}
    expected: list[Prediction] = []
    allowed = tokens_allowed(len(samples))
    print(f"memory allows {allowed:.0f} new tokens/s", flush=True)
    result: dict[str, Any] = {
        "task": task,
        "compared": f"turns per second / those of {PLAIN} in bfloat16",
        "conversations": len(samples),
        "history": options.history,
        "held": options.held,
        "tokens_per_second_allowed": round(allowed, 1),
    }
    for name in (PLAIN, *options.engines.split(",")):
        seconds, predictions = run(name, samples, setting, options.held)
        expected = expected or predictions
        right = sum(is_right(item) for item in predictions)
        tokens = sum(item.completion_tokens for item in predictions) / seconds
        rates[name] = len(predictions) / seconds
        different = [
            (found, plain)
            for found, plain in zip(predictions, expected, strict=True)
            if is_right(found) != is_right(plain)
        ]
        print(
            f"{name}: {seconds:.1f} s, {rates[name]:.3f} turns/s "
            f"({rates[name] / rates[PLAIN]:.2f} x plain), {tokens:.1f} new tokens/s "
            f"({tokens / allowed:.1%} of what memory allows), "
            f"{right} of {len(predictions)} right, {len(different)} other verdicts",
            flush=True,
        )
        for found, plain in different:
            print(f"  {found.id} turn {found.turn}: {told(found)} instead of {told(plain)}")
        result[name] = {
            "seconds": round(seconds, 1),
            "turns": len(predictions),
            "tokens_per_second": round(tokens, 1),
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
