"""``crossfoot ask PAGE "question" ...``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossfoot.cli.output import console, print_json
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.cli.turns import show_turn
from crossfoot.errors import CrossfootError, DataError

if TYPE_CHECKING:
    from crossfoot.agent.ask import Ground
    from crossfoot.agent.loop import TurnTranscript


def ask(
    page: Annotated[Path, typer.Argument(help="A Markdown file with one table.")],
    questions: Annotated[
        list[str] | None, typer.Argument(help="Questions in order; none for a dialogue.")
    ] = None,
    model: Annotated[str, typer.Option(help="A name, folder or Hugging Face id.")] = "smollm2-135m",
    adapter: Annotated[
        str | None, typer.Option(help="Adapter or run folder; 'none' for the base model.")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="short, long, grounded, ranked, chosen ...; the adapter's own."),
    ] = None,
    constrained: Annotated[
        bool | None,
        typer.Option("--constrained/--free", help="Hold what is quoted to the page."),
    ] = None,
    line_prior: Annotated[
        bool | None,
        typer.Option("--line-prior/--no-line-prior", help="Weigh what is quoted by its ranking."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask questions about a page and see the working of every answer.

    Where the prompt asks for quotes, they are held to the page and weighed unless options say not.
    """
    quiet_libraries()
    from crossfoot.agent.ask import PageConversation, check_question
    from crossfoot.chat.prompt import QUOTED
    from crossfoot.engines.build import Wanted, build_engine, resolve_adapter
    from crossfoot.models.prompts import check_writes_calls, prompt_of
    from crossfoot.pages.reader import read_page

    for question in questions or []:
        check_question(question)
    tuned = resolve_adapter(model, adapter)
    check_writes_calls(tuned, model)
    form = prompt_of(prompt, tuned, model)
    source = read_page(page)
    quotes = form in QUOTED
    wanted = Wanted(
        model,
        tuned,
        constrained=quotes if constrained is None else constrained,
        line_prior=quotes if line_prior is None else line_prior,
        prompt=form,
    )
    engine = build_engine("transformers", wanted)
    conversation = PageConversation(source, engine, form)
    documents: list[dict[str, Any]] = []
    for question in questions or _typed():
        try:
            transcript, grounds = conversation.ask(question)
        except CrossfootError as error:
            if questions:
                raise
            console.print(f"crossfoot: {error}", markup=False)
            continue
        documents.append(_document(question, transcript, grounds))
        if not json:
            show_turn(question, transcript.messages, transcript.submission.answer, grounds)
    if json:
        print_json({"page": str(page), "turns": documents})


def _typed() -> Iterator[str]:
    """Questions from the terminal until an empty line or the end of input."""
    while True:
        try:
            question = console.input("[bold]question:[/bold] ") if sys.stdin.isatty() else input()
        except EOFError:
            return
        except UnicodeDecodeError:
            raise DataError("not readable as text", record="standard input") from None
        if not question.strip():
            return
        yield question


def _document(question: str, transcript: TurnTranscript, grounds: list[Ground]) -> dict[str, Any]:
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
