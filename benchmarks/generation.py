"""Turns per second of every way to run the shipped model on this machine, in one run.

    python benchmarks/generation.py [--conversations N] [--task convfinqa|synthetic] [--skip NAME]

The same conversations, with gold history so that all answer the same prompts, go through:
``naive`` (transformers' ``generate``, one prompt at a time, as a first script does it; two
conversations alone), ``plain`` (``generate`` in batches), ``unshared`` (our transformers engine,
every page encoded again for every turn), ``transformers`` (our engine as it is), ``openvino`` and,
where ``pip install xllamacpp`` was done, ``llama.cpp`` (its own server, with the GGUF that OpenVINO
runs). 16-bit weights throughout, on as many threads as torch takes. The engines take turns batch by
batch, so that a machine that is busy with something else is as busy for all of them; processor time
is told beside wall time.

The bound is what memory allows (bandwidth.py). The last line is one JSON object with ``ratio``, the
turns per second of openvino over those of ``plain``, and every turn on which their verdicts differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import llama_cpp_server
from bandwidth import bandwidth
from crossfoot.agent.loop import Setting, TurnTranscript, run_batch
from crossfoot.chat.template import Chat
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.engines.base import Engine
from crossfoot.engines.endpoint import Endpoint
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.openvino import OpenVinoEngine, gguf_file
from crossfoot.engines.remote import RemoteEngine
from crossfoot.errors import DataError
from crossfoot.evaluation.evaluate import prediction
from crossfoot.models.embedded import EMBEDDED, shipped_adapter
from crossfoot.models.loading import load_adapter, load_model, load_tokenizer
from crossfoot.models.prompts import prompt_of
from crossfoot.tasks.base import Sample
from crossfoot.tasks.registry import load_task
from crossfoot.tasks.split import choose

NAIVE_CONVERSATIONS = 2
LLAMA_CPP_CONTEXT = 8192  # tokens a conversation; as much as the model has


class LlamaCpp(RemoteEngine):
    """llama.cpp's server, asked over HTTP."""

    def __init__(self, path: Path, batch_size: int) -> None:
        self.server = llama_cpp_server.start(
            path, conversations=batch_size, context=LLAMA_CPP_CONTEXT
        )
        endpoint = Endpoint(f"{self.server.listening_address}/v1")
        super().__init__(endpoint, str(path), concurrency=batch_size)


@dataclass
class Measured:
    """What one way of running has done so far."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    tokens: int = 0
    verdicts: dict[str, bool] = field(default_factory=dict)

    def add(self, samples: Sequence[Sample], engine: Engine) -> None:
        """Run a batch and count it."""
        wall, cpu = time.perf_counter(), time.process_time()
        setting = Setting(prompt_of(None, shipped_adapter()), history="gold")
        transcripts = run_batch(samples, engine, setting)
        self.wall_seconds += time.perf_counter() - wall
        self.cpu_seconds += time.process_time() - cpu
        for sample, turns in zip(samples, transcripts, strict=True):
            for number, turn in enumerate(turns):
                self.tokens += turn.completion_tokens
                self.verdicts[f"{sample.sample_id} turn {number}"] = _correct(sample, number, turn)

    @property
    def turns_per_second(self) -> float:
        """By the clock on the wall."""
        return len(self.verdicts) / self.wall_seconds

    @property
    def turns_per_cpu_second(self) -> float:
        """By the processor's time, which a busy machine changes less."""
        return len(self.verdicts) / self.cpu_seconds


def _correct(sample: Sample, number: int, turn: TurnTranscript) -> bool:
    verdict = prediction(sample, number, turn).verdict
    return verdict is not None and verdict.correct


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    quiet_libraries()
    samples, task = _samples(arguments.task, arguments.conversations)
    engines, weights = _engines(arguments.batch_size)
    engines = {name: engine for name, engine in engines.items() if name not in arguments.skip}
    measured = {name: Measured() for name in engines}
    size = arguments.batch_size
    for start in range(0, len(samples), size):
        batch = samples[start : start + size]
        for name, engine in engines.items():
            if name != "naive":
                measured[name].add(batch, engine)
            else:
                for sample in batch[: max(0, NAIVE_CONVERSATIONS - start)]:
                    measured[name].add([sample], engine)
            done = f"{start + len(batch)} of {len(samples)} conversations"
            print(f"{name}: {done}, {measured[name].wall_seconds:.0f} s", file=sys.stderr)
    bound = bandwidth() / weights * min(size, len(samples))
    base = measured["plain"]
    for name, result in measured.items():
        print(
            f"{name:12} {result.turns_per_second:6.3f} turns/s "
            f"({result.turns_per_second / base.turns_per_second:5.2f} x plain by the wall, "
            f"{result.turns_per_cpu_second / base.turns_per_cpu_second:5.2f} x by processor time), "
            f"{result.tokens / result.wall_seconds:6.1f} new tokens/s, "
            f"correct {sum(result.verdicts.values())} of {len(result.verdicts)}"
        )
    print(f"memory allows {bound:.0f} new tokens/s to {min(size, len(samples))} conversations")
    print(json.dumps(_summary(measured, task, len(samples), size, bound)))


def _summary(
    measured: dict[str, Measured], task: str, conversations: int, batch_size: int, bound: float
) -> dict[str, Any]:
    plain, fast = measured["plain"], measured["openvino"]
    differing = [turn for turn in plain.verdicts if plain.verdicts[turn] != fast.verdicts[turn]]
    return {
        "ratio": fast.turns_per_second / plain.turns_per_second,
        "compared": "turns per second: openvino / plain batched generate in bfloat16",
        "cpu_ratio": fast.turns_per_cpu_second / plain.turns_per_cpu_second,
        "ratios_to": {
            name: fast.turns_per_second / result.turns_per_second
            for name, result in measured.items()
        },
        "turns_per_second": {name: r.turns_per_second for name, r in measured.items()},
        "tokens_per_second": {name: r.tokens / r.wall_seconds for name, r in measured.items()},
        "bound_tokens_per_second": bound,
        "task": task,
        "conversations": conversations,
        "batch_size": batch_size,
        "threads": torch.get_num_threads(),
        "same_verdict": 1 - len(differing) / len(plain.verdicts),
        "turns": len(plain.verdicts),
        "differing": {
            turn: {name: r.verdicts.get(turn) for name, r in measured.items()} for turn in differing
        },
    }


def _engines(batch_size: int) -> tuple[dict[str, Engine], int]:
    """The engines by name, and the bytes of the model's weights."""
    chat = Chat(load_tokenizer(EMBEDDED))
    model = load_adapter(load_model(EMBEDDED), shipped_adapter()).merge_and_unload()
    plain = TransformersEngine(model, chat, reuse=False)
    plain.plain = False  # leaves decoding to generate
    path = gguf_file(EMBEDDED, shipped_adapter())
    engines: dict[str, Engine] = {
        "naive": plain,
        "plain": plain,
        "unshared": TransformersEngine(model, chat, reuse=False),
        "transformers": TransformersEngine(model, chat),
        "openvino": OpenVinoEngine(path, chat),
    }
    if llama_cpp_server.INSTALLED:
        engines["llama.cpp"] = LlamaCpp(path, batch_size)
    return engines, sum(p.nbytes for p in model.parameters())


def _samples(task: str, count: int) -> tuple[list[Sample], str]:
    """Conversations of ConvFinQA dev, or synthetic ones where that is not here."""
    try:
        samples = load_task(task, "dev")
    except DataError:
        print(f"no {task} here: synthetic conversations instead", file=sys.stderr)
        task, samples = "synthetic", load_task("synthetic", "dev")
    labelled = [sample for sample in samples if all(turn.gold for turn in sample.turns)]
    return choose(labelled, count, 0), task


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--task", default="convfinqa")
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        choices=["naive", "unshared", "transformers", "llama.cpp"],
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
