"""Metrics as tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

GROUPS = (
    ("by_kind", "turns"),
    ("by_numbers", "numbers"),
    ("by_position", "turn"),
    ("after_previous_turn", "previous turn"),
    ("by_operation", "operation"),
    ("by_steps", "steps"),
    ("by_evidence", "evidence"),
    ("by_evidence_source", "evidence is"),
    ("by_unit", "unit"),
)
MEASURES = (
    "audited_accuracy",
    "program_accuracy",
    "program_validity",
    "answer_accuracy",
    "unit_accuracy",
    "operands_named",
    "cells_true",
    "conversations_all_right",
)


def evaluation_tables(metrics: dict[str, Any], console: Console | None = None) -> None:
    """Print the graders side by side, then accuracy by group, then error classes."""
    console = console or Console()
    table = Table(title=f"{metrics['conversations']} conversations, {metrics['turns']} turns")
    table.add_column("measure")
    _score_columns(table)
    for name, score in metrics["graders"].items():
        table.add_row(name, *_score(score))
    for name in MEASURES:
        if metrics.get(name) is not None:
            table.add_row(name.replace("_", " "), *_score(metrics[name]))
    console.print(table)
    if metrics.get("evidence_recall") is not None:
        console.print(
            f"recall of the evidence {metrics['evidence_recall']:.1%}; some of it is cut in "
            f"{metrics['evidence_cut_fraction']:.1%} of the questions",
            highlight=False,
        )
    table = Table(title="official accuracy by group")
    table.add_column("group")
    table.add_column("")
    _score_columns(table)
    for key, title in GROUPS:
        for name, score in metrics[key].items():
            table.add_row(title, name, *_score(score))
        table.add_section()
    console.print(table)
    if metrics["errors"]:
        table = Table(title="errors")
        table.add_column("class")
        table.add_column("turns", justify="right")
        for name, count in metrics["errors"].items():
            table.add_row(name.replace("_", " "), str(count))
        console.print(table)


def _score_columns(table: Table) -> None:
    for title in ("accuracy", "95% interval", "right", "of"):
        table.add_column(title, justify="right")


def _score(score: dict[str, Any]) -> tuple[str, str, str, str]:
    return (
        f"{score['accuracy']:.1%}",
        f"{score['low']:.1%} to {score['high']:.1%}",
        str(score["correct"]),
        str(score["total"]),
    )
