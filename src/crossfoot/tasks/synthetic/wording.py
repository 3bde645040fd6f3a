"""Filling question templates: what a line is called, how a slot is named, singular or plural.

Example: ``Voice(rng, grid, others).say("lookup", 0, 1)`` may be "what was the net earnings in
2016?". A name that another line of the page could bear is not used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line
from crossfoot.tasks.synthetic.wordlists import section

_SHORTER = (
    (" & ", " and "),
    (" and ", " & "),
    ("accounts receivable", "receivables"),
    ("weighted-average", "weighted average"),
    ("long-term", "long term"),
    ("u.s.", "us"),
    (" ( in years )", ""),
    ("noncontrolling", "non-controlling"),
    ("number of ", ""),
    ("net cash", "cash"),
    ("total ", ""),
    ("cash and cash equivalents", "cash & equivalents"),
)
_AFTER_HEAD = re.compile(r" (?:of|in|on|for|at|to|from|by|under|with) |,| - ")
_STOP = frozenset(
    ["the", "of", "and", "&", "in", "for", "on", "to", "a", "at", ",", "-", "value", "by"]
)
_TWICE = (
    "the",
    "of",
    "value of",
    "total",
    "amount of",
    "number of",
    "value",
    "net",
    "average",
    "the value of",
    "the number of",
    "the amount of",
)


class Voice:
    """The words of one conversation about one grid."""

    def __init__(self, rng: Random, grid: Grid, others: Sequence[Line]) -> None:
        self.rng = rng
        self.grid = grid
        self.others = others
        self.was = "was" if rng.random() < 0.8 else "is"
        self.names: dict[int, str] = {}

    def name(self, line: int) -> str:
        """What the question calls a line: often what it was called before."""
        if line in self.names and self.rng.random() < 0.6:
            return self.names[line]
        subject = self.grid.lines[line]
        usual = subject.names[0]
        choices = [usual] * 5 + list(subject.names[1:]) * 2
        choices += [usual.replace(long, short) for long, short in _SHORTER if long in usual]
        if usual.endswith(" net"):
            choices += [f"net {usual[:-4]}", f"{usual[:-4]}, net"]
        name = self.rng.choice(choices)
        others = [other for other in self.others if other != subject]
        self.names[line] = _tidy(name if _is_clear(name, others) else usual)
        return self.names[line]

    def short(self, slot: int) -> str:
        """A slot alone: "2016"."""
        return self.grid.slots[slot].short

    def say(
        self, title: str, line: int | None = None, slot: int | None = None, **words: str
    ) -> str:
        """A question of a section of ``questions.txt``, filled."""
        if slot is not None:
            wheres = self.grid.slots[slot].wheres
            words |= {"w": self.rng.choice(wheres), "d": wheres[0], "s": self.short(slot)}
        if line is not None:
            words["x"] = self.name(line)
        template = self.rng.choice(self._fitting(title, words.get("x", "")))
        if "{s} {x}" in template or "many {x}" in template:
            words["x"] = words["x"].removeprefix("the ").removeprefix("number of ")
        words.setdefault("scale", self.grid.scale)
        words["was"] = self.was
        words["be"] = self._be(words.get("x", ""))
        return finish(template.format(**words))

    def _fitting(self, title: str, name: str) -> Sequence[str]:
        """Templates that read well with a name and with this grid's slots."""
        templates = section("questions", title)
        unfit: list[str] = []
        if " of " in name or " in " in name or len(name.split()) > 4:
            unfit += ["{x} figure", "{x} value"]
        if not self.grid.dated:
            unfit += ["{w}, ", "{s} {x}", "of {s}"]
        fitting = [text for text in templates if not any(part in text for part in unfit)]
        return fitting or templates

    def _be(self, name: str) -> str:
        if is_plural(name) and self.rng.random() < 0.6:
            return "were" if self.was == "was" else "are"
        return self.was


def is_plural(name: str) -> bool:
    """Whether the name of a line is plural: "costs of sales" is, "cost of sales" is not."""
    head = _AFTER_HEAD.split(name)[0].strip()
    return head.endswith("s") and not head.endswith(("ss", "eps", "2019s", "'s"))


def finish(text: str) -> str:
    """A question without doubled words and spaces."""
    text = " ".join(text.split())
    for words in _TWICE:
        text = text.replace(f" {words} {words} ", f" {words} ")
        text = text.replace(f" {words} the {words} ", f" {words} ")
    for former, latter in (("the total the", "the total"), ("total overall", "overall")):
        text = text.replace(former, latter)
    return text.replace(" ?", "?").replace(" ,", ",").replace(",,", ",")


def may_be_confused(one: Line, other: Line) -> bool:
    """Whether a name of one line is part of a name of the other."""
    return any(
        _words(mine) <= _words(theirs) or _words(theirs) <= _words(mine)
        for mine in one.names
        for theirs in other.names
    )


def _is_clear(name: str, others: Sequence[Line]) -> bool:
    """Whether no other line could be meant."""
    mine = _words(name)
    return bool(mine) and not any(
        mine <= _words(theirs) for other in others for theirs in other.names
    )


def _words(text: str) -> frozenset[str]:
    """The words that tell a name from others."""
    words = text.replace("-", " ").replace(",", " ").split()
    return frozenset(word.rstrip("s") for word in words if word not in _STOP)


def _tidy(name: str) -> str:
    return name.replace(" , ", ", ").replace(" 2019s", "'s").replace(" 2019", "'").strip()
