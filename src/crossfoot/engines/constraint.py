"""Output held to the tool-call format, by llguidance over the model's own tokens.

Every reply is then one readable call of ``calculate`` or ``submit_answer``, so that a model that
was not trained on the format is measured by its answers and not by its brackets.
"""

from __future__ import annotations

import json
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

# What the templates write for a call: a name and the terminals of its arguments.
_CALLS = {
    "calculate": {"expression": "EXPRESSION"},
    "submit_answer": {"value": "VALUE", "unit": "UNIT"},
}


def _hermes(name: str, arguments: dict[str, str]) -> list[str]:
    parts = [f'<tool_call>\n{{"name": "{name}", "arguments": {{']
    for argument, terminal in arguments.items():
        parts[-1] += f'"{argument}": "'
        parts += [terminal, '", ']
    return [*parts[:-1], '"}}\n</tool_call>']


def _qwen_xml(name: str, arguments: dict[str, str]) -> list[str]:
    parts = [f"<tool_call>\n<function={name}>\n"]
    for argument, terminal in arguments.items():
        parts[-1] += f"<parameter={argument}>\n"
        parts += [terminal, "\n</parameter>\n"]
    return [*parts[:-1], "\n</parameter>\n</function>\n</tool_call>"]


def _lark(write: Callable[[str, dict[str, str]], list[str]]) -> str:
    """A Lark grammar of one call; texts and terminals take turns in what ``write`` returns."""
    rules = []
    for name, arguments in _CALLS.items():
        parts = write(name, arguments)
        rules.append([part if place % 2 else json.dumps(part) for place, part in enumerate(parts)])
    lines = [f"start: {' | '.join(_CALLS)}"]
    lines += [f"{name}: {' '.join(rule)}" for name, rule in zip(_CALLS, rules, strict=True)]
    terminals = {"EXPRESSION": _EXPRESSION, "VALUE": _VALUE, "UNIT": _UNIT}
    lines += [f"{terminal}: /{pattern}/" for terminal, pattern in terminals.items()]
    return "\n".join(lines)


GRAMMARS: dict[CallSyntax, str] = {"hermes": _lark(_hermes), "qwen_xml": _lark(_qwen_xml)}


class _GrammarProcessor(LogitsProcessor):  # type: ignore[misc]
    """Masks every token that the grammar does not allow next, row by row."""

    def __init__(self, tokenizer: Any, grammar: str, prompt_width: int, end_id: int) -> None:
        self.tokenizer = tokenizer
        self.grammar = grammar
        self.prompt_width = prompt_width
        self.end_id = end_id
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
                scores[row, self.end_id] = 0.0
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
    return lambda width: _GrammarProcessor(tokenizer, grammar, width, chat.end_id)
