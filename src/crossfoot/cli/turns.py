"""How a turn is shown to people: its calls with results, its answer, where its numbers stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from crossfoot.agent.ask import Ground
    from crossfoot.grading.answer import Answer

SHOWN_PLACES = 3


def show_turn(
    question: str,
    messages: Sequence[dict[str, Any]],
    answer: Answer | None,
    grounds: Sequence[Ground] = (),
) -> None:
    """Print a turn; ``messages`` are those after the system message, the question first."""
    from crossfoot.agent.ask import is_constant

    out = Console(highlight=False)
    out.print(shown(question, "bold"))
    for line in _working(messages[1:]):
        out.print(Text("  "), shown(line), sep="")
    if answer is None:
        out.print(Text("  no answer", "red"))
    else:
        out.print("  answer: ", shown(answer.text, "bold green"), f" ({answer.unit})", sep="")
    for ground in grounds:
        if ground.places:
            told = "; ".join(ground.places[:SHOWN_PLACES])
            more = len(ground.places) - SHOWN_PLACES
            told += f"; and {more} more" if more > 0 else ""
            out.print(Text("    "), shown(f"{ground.literal}: {told}", "dim"), sep="")
        elif is_constant(ground.literal):
            told = f"{ground.literal}: a constant, not on the page"
            out.print(Text("    "), shown(told, "dim"), sep="")
        else:
            told = f"warning: {ground.literal} stands nowhere on the page"
            out.print(Text("    "), shown(told, "yellow"), sep="")


def shown(text: str, style: str = "") -> Text:
    """Text of a page or a model: markup in it is no markup, control characters are replaced."""
    return Text("".join(char if char.isprintable() else "\ufffd" for char in text), style)


def _working(messages: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each cell named, call with what came back, or reply without a call."""
    from crossfoot.targets.grounding import said_cells

    lines: list[str] = []
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            lines.append(f"{waiting.pop(0)} = {message['content']}")
        elif message.get("tool_calls"):
            lines += said_cells(message["content"])
            waiting = [_called(tool_call["function"]) for tool_call in message["tool_calls"]]
        else:
            lines.append(" ".join(message["content"].split()))
    return lines


def _called(function: dict[str, Any]) -> str:
    arguments = function["arguments"]
    if function["name"] == "calculate":
        return str(arguments.get("expression", ""))
    return f"{function['name']}({', '.join(map(str, arguments.values()))})"
