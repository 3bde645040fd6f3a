"""Evaluation of a task: a predictions file that grows batch by batch and resumes.

Batches are a function of the sample list, so that an interrupted run, continued, gives what an
uninterrupted one gives, times aside: a batch is written when it is complete, and what is left of
an incomplete one is run again. Several workers complete batches in any order (see shards.py); at
the end the file is put in the order of the samples.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from crossfoot.agent.loop import Setting, TurnTranscript, converse, run_batch
from crossfoot.engines.base import Engine
from crossfoot.errors import DataError, RecipeError
from crossfoot.evaluation.predictions import Prediction
from crossfoot.grading.texts import Form
from crossfoot.grading.verdict import grade
from crossfoot.runs.folder import PREDICTIONS, SETTINGS, RunFolder
from crossfoot.tasks.base import Sample

LATENCIES = "test_inference_latencies.jsonl"

Batches = Mapping[int, Sequence[Sample]]
# Refuses batches or runs them, and gives each with its number when it is complete, in any order.
Runner = Callable[[Batches, Setting], Iterator[tuple[int, list[list[TurnTranscript]]]]]


def one_engine(engine: Engine) -> Runner:
    """Runs batches one after the other in this process."""

    def run(batches: Batches, setting: Setting) -> Iterator[tuple[int, list[list[TurnTranscript]]]]:
        check_first_prompts(engine, batches, setting)
        return ((number, run_batch(batch, engine, setting)) for number, batch in batches.items())

    return run


def check_first_prompts(engine: Engine, batches: Batches, setting: Setting) -> None:
    """Raise ModelError before anything is asked, where a page does not fit the model's context."""
    samples = [sample for batch in batches.values() for sample in batch]
    if samples:
        first = [next(converse(sample, setting)) for sample in samples]
        engine.check(first, setting.limits.new_tokens)


def evaluate(
    samples: Sequence[Sample],
    runner: Runner,
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
    starts = range(0, len(samples), batch_size)
    batches = {n: samples[start : start + batch_size] for n, start in enumerate(starts)}
    done = _complete_batches(run, batches)
    waiting = {number: batch for number, batch in batches.items() if number not in done}
    results = runner(waiting, setting)
    progress(sum(len(batches[n]) for n in done), len(samples))
    single = setting.single
    target = single.form if single is not None and single.target != "tool" else None
    for number, transcripts in results:
        done[number] = [
            prediction(sample, turn, transcript, target)
            for sample, turns in zip(batches[number], transcripts, strict=True)
            for turn, transcript in enumerate(turns)
        ]
        run.append_lines(PREDICTIONS, [item.model_dump() for item in done[number]])
        progress(sum(len(batches[n]) for n in done), len(samples))
    predictions = [item for number in batches for item in done[number]]
    if list(done) != list(batches):
        run.write_lines(PREDICTIONS, [item.model_dump() for item in predictions])
    run.write_lines(
        LATENCIES,
        [{"id": item.id, "turn": item.turn, "latency_ms": item.latency_ms} for item in predictions],
    )
    return predictions


def prediction(
    sample: Sample, turn: int, transcript: TurnTranscript, target: Form | None = None
) -> Prediction:
    """The record of one turn, graded by the official rule; ``target`` is what its one reply is."""
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
            "target": target,
            "prediction": transcript.prediction,
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
    """Keep the settings; refused where predictions lie here that were made with others."""
    predictions = run.path / PREDICTIONS
    begun = predictions.is_file() and predictions.stat().st_size > 0
    if begun and not (run.path / SETTINGS).is_file():
        raise RecipeError(
            f"{PREDICTIONS} is here, but not {SETTINGS} that says how it was made",
            file=run.path,
            advice="choose another --output",
        )
    if begun:
        previous = run.read_json(SETTINGS)
        known = previous if isinstance(previous, dict) else {}
        changed = sorted(key for key in settings if known.get(key) != settings[key])
        if changed:
            raise RecipeError(
                f"predictions here were made with other settings ({', '.join(changed)} differ)",
                file=run.path,
                advice="choose another --output",
            )
    run.create()
    run.write_json(SETTINGS, settings)


def _complete_batches(run: RunFolder, batches: Batches) -> dict[int, list[Prediction]]:
    """Predictions of the complete batches on disk, as they lie there; the rest is removed."""
    records = [_saved(record, run) for record in run.read_lines(PREDICTIONS)]
    beginning_with = defaultdict(list)
    for number, batch in batches.items():
        beginning_with[batch[0].sample_id].append(number)
    done: dict[int, list[Prediction]] = {}
    size = 0
    while size < len(records):
        for number in beginning_with[records[size].id]:
            turns = [(s.sample_id, turn) for s in batches[number] for turn in range(len(s.turns))]
            found = records[size : size + len(turns)]
            if number not in done and [(record.id, record.turn) for record in found] == turns:
                done[number] = found
                size += len(found)
                break
        else:
            break
    run.write_lines(PREDICTIONS, [record.model_dump() for record in records[:size]])
    return done


def _saved(record: Any, run: RunFolder) -> Prediction:
    try:
        return Prediction.model_validate(record)
    except ValidationError as error:
        raise DataError(
            "a line is not a prediction of ours",
            file=run.path / PREDICTIONS,
            advice="choose another --output",
        ) from error
