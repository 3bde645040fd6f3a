"""Whether a grammar lets a model say something, over the tokens of the tests' tokenizer."""

from __future__ import annotations

from typing import Any

import llguidance
import llguidance.hf

import tiny
from crossfoot.targets.single import Target, chat_for


def matcher(chat: Any, lark: str) -> Any:
    """A matcher at the beginning of a reply; fails where the grammar is none."""
    tokenizer = llguidance.hf.from_tokenizer(chat.tokenizer, eos_token=chat.end_id)
    found = llguidance.LLMatcher(tokenizer, llguidance.grammar_from("lark", lark))
    assert not found.is_error(), found.get_error()
    return found


def allowed(text: str, lark: str, target: Target) -> bool:
    """Whether a whole reply is in the language."""
    chat = chat_for(tiny.tokenizer(), target)
    ids = chat.tokenizer(text, add_special_tokens=False)["input_ids"] + [chat.end_id]
    return bool(matcher(chat, lark).validate_tokens(ids) == len(ids))
