"""The words of synthetic pages, read from the text files beside this module.

Example: ``section("questions", "lookup")`` begins with "what {be} the {x} {w}?". In a file
``[name]`` opens a section and ``#`` a comment; every other line is one entry. The wording follows
the training files of FinQA and ConvFinQA (Chen et al. 2021 and 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast, get_args

from crossfoot.tasks.synthetic.figures import Kind, Line


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of table: what introduces it and which lines it may have.

    ``total`` sums the other lines; ``balance`` says that the figures are held at a date.
    """

    name: str
    intros: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line | None
    balance: bool


@cache
def sections(name: str) -> Mapping[str, tuple[str, ...]]:
    """Every section of a file of words."""
    text = files(__package__).joinpath("words", f"{name}.txt").read_text("utf-8")
    found: dict[str, list[str]] = {}
    entries: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            entries = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            entries.append(line)
    return {title: tuple(lines) for title, lines in found.items()}


def section(name: str, title: str) -> tuple[str, ...]:
    """The entries of one section."""
    return sections(name)[title]


def line_of(entry: str) -> Line:
    """The line ``row header|other names ; kind, signed``; without a kind it is money."""
    names, _, properties = entry.partition(" ; ")
    header, *others = names.split("|")
    kinds = [word for word in properties.split() if word in get_args(Kind)]
    kind = cast(Kind, kinds[0]) if kinds else "money"
    return Line(header, (header, *others), kind, "signed" in properties)


@cache
def lines(title: str) -> tuple[Line, ...]:
    """The lines of a section of ``lines.txt``."""
    return tuple(line_of(entry) for entry in section("lines", title))


@cache
def topics() -> tuple[Topic, ...]:
    """The topics of tables with years."""
    return tuple(_topic(title, entries) for title, entries in sections("topics").items())


def _topic(title: str, entries: tuple[str, ...]) -> Topic:
    intros = tuple(entry[2:] for entry in entries if entry.startswith("> "))
    totals = [line_of(entry[2:]) for entry in entries if entry.startswith("= ")]
    plain = [entry for entry in entries if entry[:2] not in ("> ", "= ") and entry != "balance"]
    return Topic(
        title,
        intros,
        tuple(line_of(entry) for entry in plain),
        totals[0] if totals else None,
        "balance" in entries,
    )
