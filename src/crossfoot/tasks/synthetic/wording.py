"""Filling question templates: what a line is called, how a slot is named, singular or plural.

Example: ``Voice(rng, grid, others).full(0, 1)`` may be ("net earnings", "in 2016"). A name that
other lines of the page share is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Line, Slot

_SHORTER = (
    (" & ", " and "),
    (" and ", " & "),
    ("accounts receivable", "receivables"),
    ("weighted-average", "weighted average"),
    ("long-term", "long term"),
    ("amortization", "amort."),
    ("u.s.", "us"),
    (" ( in years )", ""),
    ("noncontrolling", "non-controlling"),
    (" net", ", net"),
    ("number of ", ""),
    ("net cash", "cash"),
    ("total ", ""),
    ("cash and cash equivalents", "cash & equivalents"),
)
_STOP = frozenset(
    {"the", "of", "and", "&", "in", "for", "on", "to", "a", "at", ",", "-", "value", "by"}
)


class Voice:
    """The words of one conversation about one grid."""

    def __init__(self, rng: Random, grid: Grid, others: Sequence[Line]) -> None:
        self.rng = rng
        self.grid = grid
        self.others = others
        self.past = "was" if rng.random() < 0.8 else "is"
        self.names: dict[int, str] = {}

    def name(self, line: int) -> str:
        """What the question calls a line; the same name half of the time it comes again."""
        if line in self.names and self.rng.random() < 0.6:
            return self.names[line]
        subject = self.grid.lines[line]
        header = subject.names[0]
        choices = [header] * 5 + list(subject.names[1:]) * 2
        choices += [header.replace(a, b) for a, b in _SHORTER if a in header]
        if len(header.split()) > 4:
            choices.append(" ".join(header.split()[:-1]))
        others = [other for other in self.others if other != subject]
        name = self.rng.choice(choices)
        if name != header and not _is_clear(name, others):
            name = header
        self.names[line] = _tidy(name)
        return self.names[line]

    def where(self, slot: int) -> str:
        """A slot as the end of a question: "in 2016"."""
        return self.rng.choice(self.grid.slots[slot].wheres)

    def short(self, slot: int) -> str:
        """A slot alone: "2016"."""
        return self.grid.slots[slot].short

    def say(
        self,
        templates: Sequence[str],
        line: int | None = None,
        slot: int | None = None,
        **words: str,
    ) -> str:
        """One of the templates, filled."""
        if slot is not None:
            words |= {"w": self.where(slot), "s": self.short(slot)}
        if line is not None:
            words["x"] = self.name(line)
        template = self.rng.choice(self._fitting(templates, words.get("x", "")))
        if "{s} {x}" in template or "many {x}" in template:
            words["x"] = words["x"].removeprefix("the ").removeprefix("number of ")
        if self.grid.scale:
            words.setdefault("scale", self.grid.scale)
        words["was"] = self.past
        words["be"] = self._be(words.get("x", ""))
        return finish(template.format(**words))

    def _fitting(self, templates: Sequence[str], name: str) -> Sequence[str]:
        """Templates that read well with a name and with this grid's slots."""
        clumsy = " of " in name or " in " in name or len(name.split()) > 4
        fitting = [
            template
            for template in templates
            if not (clumsy and ("{x} figure" in template or "{x} value" in template))
            and (self.grid.dated or not template.startswith("{w},"))
        ]
        return fitting or templates

    def _be(self, name: str) -> str:
        head = name.split(" of ")[0].split(" in ")[0].split(",")[0].strip()
        plural = head.endswith("s") and not head.endswith(("ss", "eps", "2019s"))
        if plural and self.rng.random() < 0.6:
            return "were" if self.past == "was" else "are"
        return self.past


def finish(text: str) -> str:
    """A question without doubled words and spaces."""
    text = " ".join(text.split())
    for twice in ("the", "of", "value of", "total", "amount of", "number of", "value"):
        text = text.replace(f" {twice} {twice} ", f" {twice} ").replace(
            f" the {twice} the ", " the "
        )
    text = text.replace("value of the value of", "value of").replace("the the", "the")
    text = text.replace("number of number of", "number of").replace(
        "number of the number of", "number of"
    )
    text = text.replace("of of ", "of ").replace("value of value of", "value of")
    text = text.replace("total the total", "total").replace("total total", "total")
    text = text.replace("total overall", "overall").replace("the value of the value", "the value")
    return text.replace(" ?", "?").replace(" ,", ",").replace(",,", ",")


def words_of(text: str) -> frozenset[str]:
    """The words of a name that tell it from others."""
    return frozenset(
        word.rstrip("s")
        for word in text.replace("-", " ").replace(",", " ").split()
        if word not in _STOP
    )


def may_be_confused(one: Line, other: Line) -> bool:
    """Whether a name of one line is part of a name of the other."""
    return any(
        words_of(mine) <= words_of(theirs) or words_of(theirs) <= words_of(mine)
        for mine in one.names
        for theirs in other.names
    )


def _is_clear(name: str, others: Sequence[Line]) -> bool:
    """Whether no other line could be meant."""
    mine = words_of(name)
    return bool(mine) and not any(
        mine <= words_of(theirs) for other in others for theirs in other.names
    )


def _tidy(name: str) -> str:
    return name.replace(" , ", ", ").replace(" 2019s", "'s").replace(" 2019", "'").strip()


def by_age(slots: Sequence[Slot], indexes: Sequence[int]) -> list[int]:
    """Slot indexes from the oldest year to the newest."""
    return sorted(indexes, key=lambda index: slots[index].year)
