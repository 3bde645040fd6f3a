"""Figures that a page's sentences tell, and conversations about them.

``facts_of(page)`` of "rent expense was $ 12.2 million and $ 6.9 million in 2016 and 2015 ,
respectively ." is rent expense of 2016 and of 2015; ``talk_about`` asks for them in the words of
the ConvFinQA training conversations (Chen et al. 2022): "what was the rent expense in 2016?", "and
what was it in 2015?", "what was the change?".
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from crossfoot.pages.page import Page
from crossfoot.tasks.synthetic.asking import Asked
from crossfoot.tasks.synthetic.wordlists import section

_AMOUNT = r"(?:\$ )?\d+(?:\.\d+)?(?: ?%)?(?: (?:million|billion|thousand))?"
_VERB = re.compile(
    r" (?:was|were|is|are|totaled|totaling|of|equaled"
    r"|amounted to|increased to|decreased to|declined to)"
    r"(?: approximately| about)? (?=\$ \d|\d)"
)
_SERIES = re.compile(rf"{_AMOUNT}(?:(?: ,| and| , and) {_AMOUNT}){{0,2}}(?![\w.])")
_SCALE = re.compile(r"thousand|million|billion")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?: ?%)?")
_OF_A_YEAR = r"(?:19\d|20[0-4])\d(?![\w.,])"
_YEAR = re.compile(rf"(?<![\d.,]){_OF_A_YEAR}")
_BEHIND = re.compile(  # a figure: its year
    r"(?: \( [\d.]+ ?% \))? (?:in|for|during|at|as of|on) "
    r"(?:fiscal (?:year )?|the (?:fiscal )?years? ended )?"
    rf"(?:(?:{'|'.join(month_name[1:]).lower()}) \d{{1,2}} , )?({_OF_A_YEAR})"
)
_LAST = re.compile(r" (?:in|for|during|of) (?:fiscal )?((?:19[89]|20[0-4])\d)$")
_WORD = re.compile(r"[a-z][a-z/&'.-]*")
_BREAKS = frozenset(" ".join(section("facts", "breaks")).split())
_SKIPPED = frozenset(("the", "our", "of", "in", "for"))
_MAX_WORDS = 7
_SERIES_WEIGHT = 5  # most real questions about sentences are about such
_MIN_LETTERS = 8
_BACKWARDS = 0.4  # share of series that are asked from the year told last
_AT_ONCE = 0.5  # share of series that are computed with in the first turn
# Three of four real questions that name a scale name that of the figure.
_IN_SMALLER = 0.05  # share of figures in millions or billions that are asked for in a smaller scale
_IN_OWN = 0.15  # share that is asked for in the scale that it has
_SMALLER = {"billion": "millions", "million": "thousands"}
_SMALL = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Fact:
    """A subject and its figures by year, newest as told; the year is "" where none is told.

    ``scale`` is the word behind all of the figures, as in ``$ 12.2 million``.
    """

    subject: str
    figures: tuple[tuple[str, str], ...]
    scale: str = ""


def facts_of(page: Page) -> list[Fact]:
    """What the sentences around the table tell in a plain way, each subject once."""
    found: dict[str, Fact] = {}
    for paragraph in (*page.before, *page.after):
        for sentence in " ".join(paragraph.split()).split(" . "):
            for verb in _VERB.finditer(sentence):
                fact = _fact(sentence, verb)
                if fact is not None:
                    found.setdefault(fact.subject, fact)
    return list(found.values())


def _fact(sentence: str, verb: re.Match[str]) -> Fact | None:
    before = sentence[: verb.start()]
    own_year = _LAST.search(before)
    subject = _subject(before[: own_year.start()] if own_year else before)
    series = _SERIES.match(sentence, verb.end())
    if subject is None or series is None:
        return None
    numbers = [number.replace(" ", "") for number in _NUMBER.findall(series.group())]
    if any(number in _SMALL or _YEAR.fullmatch(number) for number in numbers):
        return None
    scales = set(_SCALE.findall(series.group()))
    if len(scales) > 1:
        return None
    scale = scales.pop() if scales else ""
    if len(numbers) == 1:
        year = own_year or _BEHIND.match(sentence, series.end())
        return Fact(subject, ((year.group(1) if year else "", numbers[0]),), scale)
    years = [own_year.group(1)] if own_year else _YEAR.findall(sentence[series.end() :])
    years = years or _YEAR.findall(before)
    if len(years) != len(numbers) or len(set(years)) < len(years):
        return None
    return Fact(subject, tuple(zip(years, numbers, strict=True)), scale)


def _subject(before: str) -> str | None:
    """The words right before a verb, as far as they belong together."""
    words: list[str] = []
    for word in reversed(before.split()):
        if word in _BREAKS or not _WORD.fullmatch(word) or len(words) == _MAX_WORDS:
            break
        words.insert(0, word)
    while words and words[0] in _SKIPPED:
        del words[0]
    while words and words[-1] in _SKIPPED:
        del words[-1]
    subject = " ".join(words)
    return subject if len(words) > 1 and len(subject) >= _MIN_LETTERS else None


def talk_about(facts: Sequence[Fact], rng: Random) -> Asked:
    """Turns on one fact over its years, or on two facts that have one figure each."""
    (fact,) = rng.choices(facts, [_SERIES_WEIGHT if len(fact.figures) > 1 else 1 for fact in facts])
    figures = list(fact.figures)
    if rng.random() < _BACKWARDS:
        figures.reverse()
    if fact.scale in _SMALLER and rng.random() < _IN_SMALLER:
        return _in_smaller(fact, *figures[0], rng)
    if len(figures) > 1 and rng.random() < _AT_ONCE:
        old, new = sorted(figures[:2])
        return _at_once(fact, old, new, rng)
    asked: Asked = [_look_up(fact, *figures[0], rng)]
    for year, number in figures[1 : rng.choice((2, 3))]:
        asked.append((_ask("again", rng, year=year), number))
    if len(asked) == 2:
        old, new = sorted(figures[:2])
        return asked + _compare(old, new, rng)
    if len(asked) > 2:
        return asked
    others = [other for other in facts if other.subject != fact.subject]
    if others:
        other = rng.choice(others)
        asked.append(_look_up(other, *rng.choice(other.figures), rng))
    return asked


def _ask(title: str, rng: Random, **words: str) -> str:
    return rng.choice(section("facts", title)).format(**words)


def _look_up(fact: Fact, year: str, number: str, rng: Random) -> tuple[str, str]:
    plural = "what were the" if fact.subject.endswith("s") else "what is"
    verbs = ("what was the", "what is the value of", "what was the amount of", plural)
    when = f" in {year}" if year else ""
    scale = f", in {fact.scale}s" if fact.scale and rng.random() < _IN_OWN else ""
    return f"{rng.choice(verbs)} {fact.subject}{when}{scale}?", number


def _in_smaller(fact: Fact, year: str, number: str, rng: Random) -> Asked:
    """A figure in millions asked for in thousands, at once or after it has been looked up."""
    question, _ = _look_up(replace(fact, scale=""), year, number, rng)
    product = f"multiply({number}, const_1000)"
    if rng.random() < 0.6:
        return [(f"{question.rstrip('?')}, in {_SMALLER[fact.scale]}?", product)]
    again = rng.choice(section("questions", "times thousand"))
    return [(question, number), (again.format(scale=_SMALLER[fact.scale]), product)]


def _at_once(fact: Fact, old: tuple[str, str], new: tuple[str, str], rng: Random) -> Asked:
    """The change, its share or the sum of a subject's two figures, (year, number) each."""
    (before, first), (after, last) = old, new
    if not _are_comparable(first, last):
        return [_look_up(fact, before, first, rng)]
    words = {"subject": fact.subject, "old": before, "new": after}
    change = f"subtract({last}, {first})"
    growth = f"{change}, divide(#0, {first})"
    kind = rng.random()
    if kind < 0.25:
        return [(_ask("sum full", rng, **words), f"add({last}, {first})")]
    if kind < 0.4:
        return [(_ask("growth full", rng, **words), growth)]
    asked = [(_ask("change full", rng, **words), change)]
    if rng.random() < 0.6:
        asked.append((_ask("relative now", rng, old=before), growth))
    return asked


def _are_comparable(first: str, last: str) -> bool:
    return float(first.strip("%")) != 0 and first.endswith("%") == last.endswith("%")


def _compare(old: tuple[str, str], new: tuple[str, str], rng: Random) -> Asked:
    """What is asked about the figures of two years, (year, number) each; often nothing."""
    (before, first), (after, last) = old, new
    if not _are_comparable(first, last):
        return []
    change = f"subtract({last}, {first})"
    growth = f"{change}, divide(#0, {first})"
    kind = rng.random()
    if kind < 0.4:
        asked = [(_ask("change now", rng), change)]
        if rng.random() < 0.6:
            asked.append((_ask("relative now", rng, old=before), growth))
        return asked
    if kind < 0.6:
        return [("what is the sum of those values?", f"add({last}, {first})")]
    if kind < 0.8:
        named = f"what was the percent change from {before} to {after}?"
        return [(rng.choice((named, "what was the growth rate?")), growth)]
    return []
