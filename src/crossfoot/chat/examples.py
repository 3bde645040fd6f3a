"""Few-shot examples: three answered questions about a small table of our own.

They stand between the system message and the first question, in the model's own call format, so
that an untuned model sees what is expected of it.
"""

from __future__ import annotations

from crossfoot.chat.messages import Message, call, tool_result, user

_TABLE = """Example page:
| in millions | 2011 | 2010 |
|---|---|---|
| net sales | 840 | 800 |
| operating costs | 615 | 590 |
"""


def few_shot_messages() -> list[Message]:
    """A looked-up turn, a computed one that refers back, and one whose answer is a fraction."""
    return [
        user(f"{_TABLE}\nwhat were the operating costs in 2010?"),
        call("submit_answer", value="590", unit="absolute"),
        user("by how much did they increase in 2011?"),
        call("calculate", expression="615 - 590"),
        tool_result("calculate", "25.0"),
        call("submit_answer", value="25.0", unit="absolute"),
        user("and what was the percentage increase of net sales?"),
        call("calculate", expression="(840 - 800) / 800"),
        tool_result("calculate", "0.05"),
        call("submit_answer", value="0.05", unit="fraction"),
    ]
