"""Tool calls out of model text: Hermes/Qwen2.5 JSON and Qwen3.5 XML.

Hermes: ``<tool_call>\\n{"name": "calculate", "arguments": {"expression": "1 + 2"}}\\n</tool_call>``
Qwen3.5: ``<tool_call>\\n<function=calculate>\\n<parameter=expression>\\n1 + 2\\n</parameter>...``

Model text is untrusted: a parser returns what it can read and never raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

CallSyntax = Literal["hermes", "qwen_xml"]

# A reply longer than this is a runaway; no call of ours needs a hundredth of it.
MAX_REPLY_CHARS = 100_000
# Deeper arguments could be read here and then exhaust the stack of a template or a reader.
MAX_NESTING = 8
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_FUNCTION = re.compile(r"<function=([^<>\n]{1,64})>")
_PARAMETER = re.compile(r"<parameter=([^<>\n]{1,64})>")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it; names and arguments are not checked against the schemas."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply: text before the first call, the calls, and whether one was unreadable."""

    content: str
    calls: tuple[ToolCall, ...] = field(default=())
    malformed: bool = False


def parse_reply(text: str, syntax: CallSyntax) -> Reply:
    """Read every tool call of ``text``; a call that cannot be read sets ``malformed``."""
    text = text[:MAX_REPLY_CHARS]
    content, *blocks = text.split(_OPEN)
    calls: list[ToolCall] = []
    malformed = False
    for block in blocks:
        call = PARSERS[syntax](block.split(_CLOSE)[0].strip())
        if call is None:
            malformed = True
        else:
            calls.append(call)
    return Reply(content.strip(), tuple(calls), malformed)


def _parse_hermes(block: str) -> ToolCall | None:
    try:
        value, _ = json.JSONDecoder().raw_decode(block)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return read_call(value.get("name"), value.get("arguments"))


def read_call(name: Any, arguments: Any) -> ToolCall | None:
    """A call from its parts; None where they are not a name and an object that can be written."""
    if isinstance(arguments, str):  # as the OpenAI API has it, and as some models write it
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return ToolCall(name, arguments) if _is_writable([name, arguments]) else None


def _is_writable(value: Any) -> bool:
    """Whether a value can be written again: no half of a surrogate pair, no nan, not too deep."""
    if _nests_deeper(value, MAX_NESTING):
        return False
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True


def _nests_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_nests_deeper(child, levels - 1) for child in children)


def _parse_qwen_xml(block: str) -> ToolCall | None:
    function = _FUNCTION.search(block)
    if function is None:
        return None
    pieces = _PARAMETER.split(block[function.end() :].split("</function>")[0])
    arguments: dict[str, Any] = {}
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        value, closed, _ = piece.partition("</parameter>")
        if not closed:  # what was cut off may be the end of a number
            return None
        arguments[name] = value.strip()
    return ToolCall(function.group(1).strip(), arguments)


PARSERS: dict[CallSyntax, Callable[[str], ToolCall | None]] = {
    "hermes": _parse_hermes,
    "qwen_xml": _parse_qwen_xml,
}
