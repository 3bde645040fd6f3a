"""``crossfoot grade PREDICTIONS --gold FILE [--json]``: every grader side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from crossfoot.cli.output import console, print_json, print_table
from crossfoot.errors import RecipeError

if TYPE_CHECKING:
    from crossfoot.evaluation.matrix import Matrix, Score

_CRASHES_SHOWN = 5


def grade(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="Ours (JSONL), FinQA's or ConvFinQA's official format, or JSONL of id, prediction."
        ),
    ],
    gold: Annotated[Path, typer.Option(help="The FinQA or ConvFinQA file they answer.")],
    form: Annotated[
        str | None,
        typer.Option("--as", help="What a text prediction is: program, numerical or answer."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Grade saved predictions by every rule, with intervals over pages."""
    from crossfoot.evaluation.gold import read_gold
    from crossfoot.evaluation.matrix import score
    from crossfoot.evaluation.predictions import match
    from crossfoot.grading.texts import FORMS

    if form is not None and form not in FORMS:
        raise RecipeError(f"unknown form {form[:40]!a}", advice=f"known are {', '.join(FORMS)}")
    gold_set = read_gold(gold)
    submitted = match(predictions, gold_set, form)
    matrix = score(submitted, gold_set)
    if json:
        counts = {
            "gold": matrix.gold_turns,
            "submitted": matrix.submitted,
            "missing": matrix.missing,
            "without_answer": matrix.without_answer,
            "unlabelled": len(gold_set.unlabelled),
        }
        document = {
            "predictions": str(predictions),
            "gold": str(gold),
            "task": gold_set.kind,
            "format": submitted.format,
            "counts": counts,
            **asdict(matrix),
        }
        for name in ("gold_turns", "submitted", "missing", "without_answer"):
            del document[name]
        print_json(document)
        return
    print_table(_table(matrix, f"{predictions.name} against {gold.name}"))
    _print_counts(matrix, len(gold_set.unlabelled))


def _table(matrix: Matrix, title: str) -> Table:
    table = Table(title=Text(title))
    table.add_column("rule")
    for heading in ("% of gold", "95% interval", "right", "of", "% submitted"):
        table.add_column(heading, justify="right")
    for name, one in matrix.graders.items():
        table.add_row(name, *_cells(one))
    table.add_section()
    others = {
        "labels that agree": matrix.audited_accuracy,
        "program accuracy": matrix.program_accuracy,
        "unit": matrix.unit_accuracy,
        "operands named": matrix.operands_named,
        "answer string": matrix.answer_accuracy,
        "valid programs": matrix.program_validity,
    }
    for name, other in others.items():
        if other is not None:
            table.add_row(name, *_cells(other))
    groups = {
        "{} steps": matrix.by_steps,
        "op {}": matrix.by_operation,
        "evidence: {}": matrix.by_evidence,
        "evidence {}": matrix.by_evidence_source,
    }
    for called, group in groups.items():
        table.add_section()
        for name, one in group.items():
            table.add_row(called.format(name), *_cells(one))
    return table


def _cells(one: Score) -> tuple[str, ...]:
    submitted = "-" if one.submitted_accuracy is None else f"{100 * one.submitted_accuracy:.2f}"
    return (
        f"{100 * one.accuracy:.2f}",
        f"{100 * one.low:.2f} to {100 * one.high:.2f}",
        str(one.correct),
        str(one.total),
        submitted,
    )


def _print_counts(matrix: Matrix, unlabelled: int) -> None:
    console.print(
        f"{matrix.gold_turns} gold turns, {matrix.submitted} submitted, {matrix.missing} missing, "
        f"{matrix.without_answer} without an answer (missing and unanswered count as wrong)"
    )
    if unlabelled:
        console.print(f"{unlabelled} turns of the gold file have no answer and are left out")
    if matrix.errors:
        wrong = ", ".join(f"{name} {count}" for name, count in matrix.errors.items())
        console.print(f"wrong by the official rule: {wrong}")
    quirks = matrix.quirks
    if quirks is None:
        return
    if quirks.script_crashes:
        named = ", ".join(quirks.script_crashes[:_CRASHES_SHOWN])
        more = len(quirks.script_crashes) - _CRASHES_SHOWN
        console.print(
            "the official script would crash on programs equal to the gold one with another "
            f"result: {named}{f' and {more} more' if more > 0 else ''}",
            markup=False,
        )
    for count, what in (
        (quirks.without_eof, "programs do not end with EOF: their last token is dropped"),
        (quirks.empty_programs, "programs are empty"),
        (quirks.table_operation_on_a_step, "table operations on #k reuse the row before"),
    ):
        if count:
            console.print(f"{count} {what}")
