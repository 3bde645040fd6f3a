"""``crossfoot demo``: what the shipped adapter adds to its base model."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossfoot.cli.output import console, print_json
from crossfoot.cli.quiet import quiet_libraries
from crossfoot.cli.turns import show_turn

if TYPE_CHECKING:
    from crossfoot.chat.prompt import PromptForm

# The worked example of the published ConvFinQA adapter: page APD/2016/page_96.pdf of the dev set.
QUESTIONS = (
    "what was the total cash paid for interest in the years of 2015 and 2016, combined?",
    "including the year of 2014, what then becomes this total?",
    "and what was the average cash paid for interest between those three years?",
    "what was the total debt in 2016?",
)

BATCH = 16  # conversations at a time


def demo(
    conversations: Annotated[
        int, typer.Option(min=1, max=200, help="Synthetic conversations to compare on.")
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask about one page, then compare the base model with the shipped adapter."""
    quiet_libraries()
    from crossfoot.agent.ask import PageConversation
    from crossfoot.engines.build import Wanted, build_engine, default_engine, resolve_adapter
    from crossfoot.models.embedded import EMBEDDED
    from crossfoot.models.prompts import prompt_of
    from crossfoot.pages.reader import read_page

    page = read_page(Path(str(files("crossfoot") / "examples" / "apd.md")))
    adapter = resolve_adapter(EMBEDDED, None)
    form = prompt_of(None, adapter)
    engine = default_engine(Wanted(EMBEDDED))
    tuned = build_engine(engine, Wanted(EMBEDDED, adapter))
    console.print("A page on debt and interest, and four questions about it:")
    conversation = PageConversation(page, tuned, form)
    for question in QUESTIONS:
        transcript, grounds = conversation.ask(question)
        if not json:
            show_turn(question, transcript.messages, transcript.submission.answer, grounds)
    console.print(f"\nBase model and shipped adapter on {conversations} synthetic conversations:")
    scores = {
        "base": _score(build_engine(engine, Wanted(EMBEDDED)), "short", conversations),
        "tuned": _score(tuned, form, conversations),
    }
    if json:
        print_json(scores)
    else:
        _print_comparison(scores)


def _score(engine: Any, form: PromptForm, conversations: int) -> dict[str, Any]:
    """Official accuracy of looked-up and computed turns."""
    from crossfoot.agent.loop import Setting, run_batch
    from crossfoot.evaluation.evaluate import prediction
    from crossfoot.evaluation.metrics import summarise
    from crossfoot.tasks.registry import load_task

    samples = load_task("synthetic", "dev")[:conversations]
    batches = [samples[start : start + BATCH] for start in range(0, len(samples), BATCH)]
    transcripts = [turns for batch in batches for turns in run_batch(batch, engine, Setting(form))]
    predictions = [
        prediction(sample, index, transcript)
        for sample, turns in zip(samples, transcripts, strict=True)
        for index, transcript in enumerate(turns)
    ]
    metrics = summarise(predictions, samples)
    return {"all turns": metrics["graders"]["official"], **metrics["by_kind"]}


def _print_comparison(scores: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("turns", "base model", "shipped adapter")
    for kind in scores["tuned"]:
        cells = [scores[name].get(kind) for name in ("base", "tuned")]
        table.add_row(
            kind, *(f"{c['correct']} of {c['total']} ({c['accuracy']:.0%})" for c in cells)
        )
    Console().print(table)
