"""One tuned model through several engines and forms: does each say what the first one says?

Every column answers the same questions, each behind the gold history of its conversation, so that
an early difference does not spread. Replies are compared as the token ids that the model's own
template gives them, up to the first difference; verdicts as right or wrong by the official rule.
A column in which the adapter changes nothing fails whatever it agrees with: servers are known to
ignore adapters silently (https://github.com/vllm-project/vllm/issues/49354).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from crossfoot.agent.loop import Setting, TurnTranscript, converse, run_batch
from crossfoot.chat.messages import user
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Engine
from crossfoot.evaluation.evaluate import prediction
from crossfoot.tasks.base import Sample

Load = Callable[[], Engine]


@dataclass(frozen=True, slots=True)
class Column:
    """A form of the tuned model in an engine; ``base`` names what it is held against."""

    name: str
    load: Load
    base: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a column gave: agreements with the first column, as fractions, and its own counts.

    ``changed`` counts the turns that are answered otherwise than by the base model.
    """

    name: str
    turns: int
    correct: int
    token_agreement: float
    verdict_agreement: float
    changed: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class _Answers:
    """Token ids and verdict of each turn; logits after the first prompt where they can be had."""

    replies: list[list[int]]
    correct: list[bool]
    logits: Any  # (vocabulary,) or None


def check(
    columns: Sequence[Column],
    bases: Mapping[str, Load],
    samples: Sequence[Sample],
    setting: Setting,
    chat: Chat,
    bound: float,
) -> list[Row]:
    """One row a column, each model loaded once; agreement under ``bound`` is a failure."""
    untuned = {
        name: _answers(bases[name](), samples, setting, chat)
        for name in dict.fromkeys(column.base for column in columns)
    }
    rows: list[Row] = []
    first: _Answers | None = None
    for column in columns:
        tuned = _answers(column.load(), samples, setting, chat)
        first = first or tuned
        rows.append(_row(column.name, tuned, first, untuned[column.base], bound))
    return rows


def token_agreement(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> float:
    """The fraction of tokens before the first difference of each pair of replies."""
    pairs = list(zip(ours, theirs, strict=True))
    longest = sum(max(len(one), len(other)) for one, other in pairs)
    equal = sum(
        len(list(takewhile(lambda both: both[0] == both[1], zip(*pair, strict=False))))
        for pair in pairs
    )
    return equal / longest if longest else 1.0


def _row(name: str, tuned: _Answers, first: _Answers, base: _Answers, bound: float) -> Row:
    turns = len(tuned.replies)
    tokens = token_agreement(tuned.replies, first.replies)
    same = sum(a == b for a, b in zip(tuned.correct, first.correct, strict=True))
    changed = sum(a != b for a, b in zip(tuned.replies, base.replies, strict=True))
    failure = None
    if changed == 0 and not _other_logits(tuned, base):
        failure = f"answers as the base model does on all {turns} turns: the adapter is not applied"
    elif min(tokens, same / turns) < bound:
        failure = f"agrees with {tokens:.1%} of tokens and {same / turns:.1%} of verdicts"
    return Row(name, turns, sum(tuned.correct), tokens, same / turns, changed, failure)


def _other_logits(tuned: _Answers, base: _Answers) -> bool:
    """Whether an adapter is at work that is too weak to change these replies."""
    if tuned.logits is None or base.logits is None:
        return False
    return not bool((tuned.logits == base.logits).all())


def _answers(engine: Engine, samples: Sequence[Sample], setting: Setting, chat: Chat) -> _Answers:
    from crossfoot.engines.local import TransformersEngine

    logits = None
    if isinstance(engine, TransformersEngine):
        logits = engine.next_logits(next(converse(samples[0], setting)))
    transcripts = run_batch(samples, engine, setting)
    turns = [
        (sample, index, turn)
        for sample, conversation in zip(samples, transcripts, strict=True)
        for index, turn in enumerate(conversation)
    ]
    verdicts = [prediction(*turn).verdict for turn in turns]
    return _Answers(
        [_reply_ids(turn, chat) for _, _, turn in turns],
        [verdict is not None and verdict.correct for verdict in verdicts],
        logits,
    )


def _reply_ids(turn: TurnTranscript, chat: Chat) -> list[int]:
    """All that the model wrote in a turn, as its template writes it."""
    said = [message for message in turn.messages if message["role"] == "assistant"]
    return [token for message in said for token in chat.completion_ids([user("?"), message])]
