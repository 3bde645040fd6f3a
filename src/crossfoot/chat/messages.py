"""Messages in the OpenAI form that chat templates take.

Example: ``call("calculate", expression="121.1 + 97.5")`` is an assistant message with one tool
call; ``tool_result("calculate", "218.6")`` is what comes back.
"""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


def system(content: str) -> Message:
    """The system message."""
    return {"role": "system", "content": content}


def user(content: str) -> Message:
    """A question."""
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    """An assistant message without a tool call."""
    return {"role": "assistant", "content": content}


def call(name: str, /, content: str = "", **arguments: Any) -> Message:
    """An assistant message with one tool call, after ``content`` if there is any."""
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"type": "function", "function": function}],
    }


def tool_result(name: str, content: str) -> Message:
    """The result of a tool call."""
    return {"role": "tool", "name": name, "content": content}
