"""``crossfoot ask PAGE "question" ...``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from crossfoot.cli.output import console, print_json

if TYPE_CHECKING:
    from crossfoot.agent.ask import Ground
    from crossfoot.agent.loop import TurnTranscript

SHOWN_PLACES = 3


def ask(
    page: Annotated[Path, typer.Argument(help="A Markdown file with one table.")],
    questions: Annotated[
        list[str] | None, typer.Argument(help="Questions in order; none for a dialogue.")
    ] = None,
    model: Annotated[str, typer.Option(help="A name, folder or Hugging Face id.")] = "smollm2-135m",
    adapter: Annotated[
        str | None, typer.Option(help="Adapter or run folder; 'none' for the base model.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="short or long.")] = "short",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask questions about a page and see the working of every answer."""
    from crossfoot.agent.ask import PageConversation
    from crossfoot.chat.prompt import prompt_form
    from crossfoot.engines.build import build_engine, resolve_adapter
    from crossfoot.errors import DataError
    from crossfoot.pages.reader import read_page

    if questions and not all(question.strip() for question in questions):
        raise DataError("a question is empty", advice="give each question as one quoted argument")
    form = prompt_form(prompt)
    source = read_page(page)
    engine = build_engine("transformers", model, resolve_adapter(model, adapter))
    conversation = PageConversation(source, engine, form)
    documents: list[dict[str, Any]] = []
    for question in questions or _typed():
        transcript, grounds = conversation.ask(question)
        documents.append(_document(question, transcript, grounds))
        if not json:
            show_turn(question, transcript, grounds)
    if json:
        print_json({"page": str(page), "turns": documents})


def _typed() -> Iterator[str]:
    """Questions from the terminal until an empty line or the end of input."""
    while True:
        try:
            question = console.input("[bold]question:[/bold] ") if sys.stdin.isatty() else input()
        except EOFError:
            return
        if not question.strip():
            return
        yield question


def show_turn(question: str, transcript: TurnTranscript, grounds: list[Ground]) -> None:
    """Print a turn: question, calls with results, answer, and where its numbers stand."""
    from rich.console import Console

    from crossfoot.agent.ask import is_constant

    out = Console(highlight=False)
    out.print(f"[bold]{escape(question)}[/bold]")
    for line in _working(transcript):
        out.print(f"  {escape(line)}")
    answer = transcript.submission.answer
    if answer is None:
        out.print("  [red]no answer[/red]")
    else:
        out.print(f"  answer: [bold green]{escape(answer.text)}[/bold green] ({answer.unit})")
    for ground in grounds:
        if ground.places:
            shown = "; ".join(ground.places[:SHOWN_PLACES])
            more = len(ground.places) - SHOWN_PLACES
            shown += f"; and {more} more" if more > 0 else ""
            out.print(f"    [dim]{escape(ground.literal)}: {escape(shown)}[/dim]")
        elif is_constant(ground.literal):
            out.print(f"    [dim]{escape(ground.literal)}: a constant, not on the page[/dim]")
        else:
            out.print(
                f"    [yellow]warning: {escape(ground.literal)} stands nowhere on the page[/yellow]"
            )


def _working(transcript: TurnTranscript) -> list[str]:
    """One line for each call, with what came back."""
    lines: list[str] = []
    for message in transcript.messages[1:]:
        if message["role"] == "tool":
            lines[-1] += f" = {message['content']}"
            continue
        for tool_call in message.get("tool_calls", []):
            function = tool_call["function"]
            if function["name"] == "calculate":
                lines.append(str(function["arguments"].get("expression", "")))
        if not message.get("tool_calls"):
            lines.append(message["content"])
    return lines


def _document(
    question: str, transcript: TurnTranscript, grounds: list[Ground]
) -> dict[str, Any]:
    answer = transcript.submission.answer
    return {
        "question": question,
        "answer": None
        if answer is None
        else {"value": answer.value, "unit": answer.unit, "text": answer.text},
        "expressions": list(transcript.submission.expressions),
        "grounds": [{"number": g.literal, "places": list(g.places)} for g in grounds],
        "messages": list(transcript.messages),
    }
