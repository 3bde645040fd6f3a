"""Lark text of the formats that replies are held to: one call of any numbers, or one number.

``call_rules(syntax)`` are the rules of ``calculate`` and ``submit_answer`` as chat templates write
them, over the rules ``expression``, ``value`` and ``unit``, of which the last comes along.
"""

from __future__ import annotations

import json

from crossfoot.chat.calls import CallSyntax
from crossfoot.grading.answer import UNITS

NUMBER_GRAMMAR = r"start: /-?[0-9]{1,15}(\.[0-9]{1,5})?/ | /yes/ | /no/"

_ANY_NUMBERS = r"""
expression: /[0-9(-][-0-9. +*\/()<>=%]{0,120}/
value: /(-?[0-9]{1,15}(\.[0-9]{1,8})?|yes|no)/
"""

# A call is a name and the rules of its arguments.
_CALLS = {"calculate": ("expression",), "submit_answer": ("value", "unit")}


def call_rules(syntax: CallSyntax) -> list[str]:
    """The rules of both calls in the syntax of a template, and that of units."""
    rules = []
    for name, arguments in _CALLS.items():
        parts = _WRITTEN[syntax](name, arguments)
        # Texts and names of rules take turns.
        rule = [part if place % 2 else json.dumps(part) for place, part in enumerate(parts)]
        rules.append(f"{name}: {' '.join(rule)}")
    return [*rules, f"unit: {' | '.join(map(json.dumps, UNITS))}"]


def call_grammar(syntax: CallSyntax) -> str:
    """Lark text of one call whose expression and value are of any numbers."""
    return "\n".join([f"start: {' | '.join(_CALLS)}", *call_rules(syntax), _ANY_NUMBERS.strip()])


def _hermes(name: str, arguments: tuple[str, ...]) -> list[str]:
    parts = [f'<tool_call>\n{{"name": "{name}", "arguments": {{']
    for argument in arguments:
        parts[-1] += f'"{argument}": "'
        parts += [argument, '", ']
    return [*parts[:-1], '"}}\n</tool_call>']


def _qwen_xml(name: str, arguments: tuple[str, ...]) -> list[str]:
    parts = [f"<tool_call>\n<function={name}>\n"]
    for argument in arguments:
        parts[-1] += f"<parameter={argument}>\n"
        parts += [argument, "\n</parameter>\n"]
    return [*parts[:-1], "\n</parameter>\n</function>\n</tool_call>"]


_WRITTEN = {"hermes": _hermes, "qwen_xml": _qwen_xml}
