"""The two tools of a conversation: ``calculate`` and ``submit_answer``.

Source: the tool surface of the published ConvFinQA adapters (calculate with Python arithmetic,
submit_answer with one of five units), with comparisons added so that yes/no questions can be asked
of the calculator. Values are strings so that a number is copied exactly as the page prints it.
"""

from __future__ import annotations

from typing import Any

from crossfoot.grading.answer import UNITS

CALCULATE: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "calculate",
        "description": "+ - * / ** ( ) > <",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
    },
}

SUBMIT_ANSWER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "submit_answer",
        "description": "The final answer.",
        "parameters": {
            "type": "object",
            "properties": {
                "value": {"type": "string"},
                "unit": {"type": "string", "enum": list(UNITS)},
            },
            "required": ["value", "unit"],
        },
    },
}

TOOLS: list[dict[str, Any]] = [CALCULATE, SUBMIT_ANSWER]
