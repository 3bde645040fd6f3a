"""What engines that run a model in this process share: they take token ids and give token ids."""

from __future__ import annotations

from collections.abc import Sequence

from crossfoot.chat.messages import Message
from crossfoot.chat.template import Chat
from crossfoot.engines.base import Generation
from crossfoot.errors import ModelError


def encoded(
    chat: Chat, batch: Sequence[Sequence[Message]], max_new_tokens: int, context: int | None
) -> list[list[int]]:
    """Prompts as ids; ModelError where one with its reply exceeds ``context`` (None: no limit)."""
    prompts = [chat.prompt_ids(messages) for messages in batch]
    longest = max(map(len, prompts))
    if context is not None and longest + max_new_tokens > context:
        raise ModelError(
            f"a prompt of {longest} tokens and {max_new_tokens} new ones do not fit the "
            f"model's context of {context}",
            advice="use a shorter page, --prompt short, --input retrieved, or another model",
        )
    return prompts


def as_generation(
    chat: Chat, prompt: Sequence[int], completion: Sequence[int], seconds: float
) -> Generation:
    """The reply in ``completion``: its ids up to and including an end of turn, if there is one."""
    finished = bool(completion) and completion[-1] in chat.stop_ids
    text = chat.tokenizer.decode(
        list(completion[:-1] if finished else completion),
        skip_special_tokens=False,
        clean_up_tokenization_spaces=False,
    )
    return Generation(chat.parse(text), text, len(prompt), len(completion), finished, seconds)
