"""Loss-bearing targets: one row for every assistant message of a gold conversation.

A row's prompt is ``Chat.prompt_ids`` of the messages before it, the very ids that inference sends;
its completion is the assistant message with its end of turn. Rows that extend each other (a
template with the extension property) are merged into one chain, which gives the same loss and
gradients at a fraction of the tokens: under causal attention the ids after a target do not
influence it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossfoot.chat.messages import Message
from crossfoot.chat.prompt import PromptForm
from crossfoot.chat.template import Chat
from crossfoot.targets.context import choose_context
from crossfoot.targets.conversation import conversation_messages
from crossfoot.targets.grounding import unseen_quotes
from crossfoot.targets.single import Single, example
from crossfoot.tasks.base import Sample


@dataclass(frozen=True, slots=True)
class Row:
    """One target behind its prompt; ``prompt_ids`` and ``completion_ids`` are token ids."""

    sample_id: str
    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """Prompt and completion."""
        return self.prompt_ids + self.completion_ids


@dataclass(frozen=True, slots=True)
class Chain:
    """Token ids of one or more rows, and which of them bear loss (same length)."""

    ids: tuple[int, ...]
    loss_mask: tuple[bool, ...]

    @property
    def targets(self) -> int:
        """Number of tokens that bear loss."""
        return sum(self.loss_mask)


def rows_of_messages(
    sample_id: str, messages: Sequence[Message], chat: Chat, start: int = 0
) -> list[Row]:
    """A row for each assistant message from ``start`` on; its prompt is all that comes before.

    A message that quotes a sentence which none of those before it shows is left out: it would teach
    to make sentences up.
    """
    return [
        Row(
            sample_id,
            tuple(chat.prompt_ids(messages[:index])),
            tuple(chat.completion_ids(messages[: index + 1])),
        )
        for index, message in enumerate(messages)
        if index >= start
        and message["role"] == "assistant"
        and not unseen_quotes(message["content"], (one["content"] for one in messages[:index]))
    ]


def build_rows(samples: Iterable[Sample], chat: Chat, form: PromptForm) -> list[Row]:
    """Rows of labelled conversations with gold history, in order."""
    return [
        row
        for sample in samples
        for row in rows_of_messages(sample.sample_id, conversation_messages(sample, form), chat)
    ]


def single_rows(sample: Sample, single: Single, chat: Chat, form: PromptForm) -> list[Row]:
    """Rows of a single question in the context that ``single`` chooses."""
    one = example(sample, choose_context(sample, single.context), single.target, form)
    return rows_of_messages(sample.sample_id, one.messages, chat)


def single_chain(row: Row) -> Chain:
    """A row as a chain of its own: loss on its completion only."""
    mask = (False,) * len(row.prompt_ids) + (True,) * len(row.completion_ids)
    return Chain(row.ids, mask)


def merge(rows: Sequence[Row]) -> list[Chain]:
    """Merge neighbouring rows wherever the next prompt begins with the whole row before it."""
    chains: list[Chain] = []
    for row in rows:
        last = chains[-1] if chains else None
        if last is not None and row.prompt_ids[: len(last.ids)] == last.ids:
            own = single_chain(row)
            chains[-1] = Chain(row.ids, last.loss_mask + own.loss_mask[len(last.ids) :])
        else:
            chains.append(single_chain(row))
    return chains


def has_extension_property(rows: Sequence[Row]) -> bool:
    """Whether every prompt of one conversation begins with the whole row before it."""
    return len(merge(rows)) <= 1
