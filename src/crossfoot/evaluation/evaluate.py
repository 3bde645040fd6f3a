"""Evaluation of a task: a predictions file that grows batch by batch and resumes.

Batches are a function of the sample list, so that an interrupted run, continued, gives what an
uninterrupted one gives, times aside: a batch is written when it is complete, and what is left of
an incomplete one is run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from crossfoot.agent.loop import Setting, TurnTranscript, converse, run_batch
from crossfoot.engines.base import Engine
from crossfoot.errors import DataError, RecipeError
from crossfoot.evaluation.predictions import Prediction
from crossfoot.grading.verdict import grade
from crossfoot.runs.folder import RunFolder
from crossfoot.tasks.base import Sample

PREDICTIONS = "test_predictions.jsonl"
LATENCIES = "test_inference_latencies.jsonl"
SETTINGS = "evaluation.json"


def evaluate(
    samples: Sequence[Sample],
    engine: Engine,
    run: RunFolder,
    *,
    setting: Setting,
    source: dict[str, Any],
    batch_size: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Prediction]:
    """Run every sample through the agent, grade it, and keep the predictions in ``run``.

    ``source`` says what is evaluated (model, adapter, task, ...); a folder that holds predictions
    made from another source or with another setting is refused. Returns one prediction a turn, in
    order.
    """
    _check_settings(run, source | _identity(samples, setting, batch_size))
    batches = [samples[start : start + batch_size] for start in range(0, len(samples), batch_size)]
    predictions = _complete_batches(run, batches)
    done = _batches_done(predictions, batches)
    progress(sum(map(len, batches[:done])), len(samples))
    for index in range(done, len(batches)):
        transcripts = run_batch(batches[index], engine, setting)
        new = [
            prediction(sample, turn, transcript)
            for sample, turns in zip(batches[index], transcripts, strict=True)
            for turn, transcript in enumerate(turns)
        ]
        run.append_lines(PREDICTIONS, [item.model_dump() for item in new])
        predictions += new
        progress(sum(map(len, batches[: index + 1])), len(samples))
    run.write_lines(
        LATENCIES,
        [{"id": item.id, "turn": item.turn, "latency_ms": item.latency_ms} for item in predictions],
    )
    return predictions


def prediction(sample: Sample, turn: int, transcript: TurnTranscript) -> Prediction:
    """The record of one turn, graded by the official rule."""
    gold = sample.turns[turn].gold
    if gold is None:
        raise DataError("a turn without labels cannot be graded", record=sample.sample_id)
    verdict = grade(transcript.submission, gold)
    answer = transcript.submission.answer
    return Prediction.model_validate(
        {
            "id": sample.sample_id,
            "page": sample.page.page_id,
            "turn": turn,
            "question": sample.turns[turn].question,
            "program": gold.program,
            "gold": gold.answer,
            "unit": gold.unit,
            "answer": None
            if answer is None
            else {"value": answer.value, "unit": answer.unit, "text": answer.text},
            "expressions": list(transcript.submission.expressions),
            "malformed": transcript.submission.malformed,
            "verdict": {
                "correct": verdict.correct,
                "error": verdict.error,
                "reason": verdict.reason,
            },
            "messages": list(transcript.messages),
            "latency_ms": transcript.seconds * 1000,
            "prompt_tokens": transcript.prompt_tokens,
            "completion_tokens": transcript.completion_tokens,
        }
    )


def inference_seconds(predictions: Sequence[Prediction], batch_size: int) -> float:
    """Time spent in the engine, interruptions or not.

    The conversations of a batch begin together and each waits for every reply of the batch while
    it lasts, so the batch took as long as its longest conversation.
    """
    conversations: dict[str, float] = {}
    for item in predictions:
        conversations[item.id] = conversations.get(item.id, 0.0) + item.latency_ms / 1000
    seconds = [*conversations.values()]
    batches = range(0, len(seconds), batch_size)
    return sum(max(seconds[start : start + batch_size]) for start in batches)


def _identity(samples: Sequence[Sample], setting: Setting, batch_size: int) -> dict[str, Any]:
    """Settings, and a hash of all that a model is shown and graded by."""
    seen = hashlib.sha256()
    for sample in samples:
        seen.update(repr((sample, next(converse(sample, setting)))).encode())
    return {
        **asdict(setting),
        "batch_size": batch_size,
        "samples": len(samples),
        "samples_sha256": seen.hexdigest(),
    }


def _check_settings(run: RunFolder, settings: dict[str, Any]) -> None:
    if (run.path / SETTINGS).is_file():
        previous = run.read_json(SETTINGS)
        known = previous if isinstance(previous, dict) else {}
        changed = sorted(key for key in settings if known.get(key) != settings[key])
        if changed:
            raise RecipeError(
                f"predictions here were made with other settings ({', '.join(changed)} differ)",
                file=run.path,
                advice="choose another --output",
            )
    elif (run.path / PREDICTIONS).exists():
        raise RecipeError(
            f"{PREDICTIONS} is here, but not {SETTINGS} that says how it was made",
            file=run.path,
            advice="choose another --output",
        )
    run.create()
    run.write_json(SETTINGS, settings)


def _complete_batches(run: RunFolder, batches: Sequence[Sequence[Sample]]) -> list[Prediction]:
    """Predictions of the complete batches on disk; what follows them is removed."""
    records = [_saved(record, run) for record in run.read_lines(PREDICTIONS)]
    size = 0
    for batch in batches:
        wanted = [(sample.sample_id, turn) for sample in batch for turn in range(len(sample.turns))]
        if [(r.id, r.turn) for r in records[size : size + len(wanted)]] != wanted:
            break
        size += len(wanted)
    run.write_lines(PREDICTIONS, [record.model_dump() for record in records[:size]])
    return records[:size]


def _saved(record: Any, run: RunFolder) -> Prediction:
    try:
        return Prediction.model_validate(record)
    except ValidationError as error:
        raise DataError(
            "a line is not a prediction of ours",
            file=run.path / PREDICTIONS,
            advice="choose another --output",
        ) from error


def _batches_done(predictions: Sequence[Prediction], batches: Sequence[Sequence[Sample]]) -> int:
    left = len(predictions)
    for index, batch in enumerate(batches):
        if left == 0:
            return index
        left -= sum(len(sample.turns) for sample in batch)
    return len(batches)
