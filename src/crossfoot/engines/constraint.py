"""Output held to the tool-call format, by llguidance over the model's own tokens.

Every reply is then one readable call of ``calculate`` or ``submit_answer``, so that a model that
was not trained on the format is measured by its answers and not by its brackets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import LogitsProcessor

from crossfoot.chat.calls import CallSyntax
from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError
from crossfoot.grading.answer import UNITS

_EXPRESSION = r"[0-9(-][-0-9. +*\/()<>=%]{0,120}"
_VALUE = r"(-?[0-9]{1,15}(\.[0-9]{1,8})?|yes|no)"
_UNIT = "|".join(UNITS)

# Lark grammars; the strings are those that the templates write.
GRAMMARS: dict[CallSyntax, str] = {
    "hermes": rf"""
start: calculate | submit
calculate: "<tool_call>\n{{\"name\": \"calculate\", \"arguments\": {{\"expression\": \"" EXPRESSION "\"}}}}\n</tool_call>"
submit: "<tool_call>\n{{\"name\": \"submit_answer\", \"arguments\": {{\"value\": \"" VALUE "\", \"unit\": \"" UNIT "\"}}}}\n</tool_call>"
EXPRESSION: /{_EXPRESSION}/
VALUE: /{_VALUE}/
UNIT: /{_UNIT}/
""",
    "qwen_xml": rf"""
start: calculate | submit
calculate: "<tool_call>\n<function=calculate>\n<parameter=expression>\n" EXPRESSION "\n</parameter>\n</function>\n</tool_call>"
submit: "<tool_call>\n<function=submit_answer>\n<parameter=value>\n" VALUE "\n</parameter>\n<parameter=unit>\n" UNIT "\n</parameter>\n</function>\n</tool_call>"
EXPRESSION: /{_EXPRESSION}/
VALUE: /{_VALUE}/
UNIT: /{_UNIT}/
""",
}


class _GrammarProcessor(LogitsProcessor):  # type: ignore[misc]
    """Masks every token that the grammar does not allow next, row by row."""

    def __init__(self, tokenizer: Any, grammar: str, prompt_width: int, stop_id: int) -> None:
        self.tokenizer = tokenizer
        self.grammar = grammar
        self.prompt_width = prompt_width
        self.stop_id = stop_id
        self.matchers: list[Any] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """``input_ids`` (B, prompt + generated), ``scores`` (B, vocabulary)."""
        import llguidance
        import llguidance.torch as masks

        rows, width = input_ids.shape
        if width == self.prompt_width:
            self.matchers = [
                llguidance.LLMatcher(self.tokenizer, self.grammar) for _ in range(rows)
            ]
        else:
            for matcher, token in zip(self.matchers, input_ids[:, -1].tolist(), strict=True):
                if not matcher.is_stopped():
                    matcher.consume_token(token)
        bitmask = masks.allocate_token_bitmask(rows, self.tokenizer.vocab_size)
        for row, matcher in enumerate(self.matchers):
            if matcher.is_stopped():
                scores[row] = float("-inf")
                scores[row, self.stop_id] = 0.0
            else:
                masks.fill_next_token_bitmask(matcher, bitmask, row)
                allowed = bitmask[row : row + 1].to(scores.device)
                masks.apply_token_bitmask_inplace(scores[row : row + 1], allowed)
        return scores


def call_constraint(chat: Chat) -> Callable[[int], LogitsProcessor]:
    """A factory of logits processors; its argument is the width of the prompt in tokens."""
    try:
        import llguidance
        import llguidance.hf
    except ImportError as error:
        raise ModelError(
            "constrained output needs llguidance", advice="pip install 'crossfoot[constrain]'"
        ) from error
    tokenizer = llguidance.hf.from_tokenizer(chat.tokenizer)
    grammar = llguidance.grammar_from("lark", GRAMMARS[chat.syntax])
    stop_id = min(chat.stop_ids)
    return lambda width: _GrammarProcessor(tokenizer, grammar, width, stop_id)
