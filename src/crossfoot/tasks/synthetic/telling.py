"""The sentences of a synthetic page: figures over years, distractors, filler.

Example: "advertising costs were $ 24 million in 2016 , compared to $ 22 million in 2015 ." Wording
after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Slot
from crossfoot.tasks.synthetic.filling import SMALL_RATE
from crossfoot.tasks.synthetic.numbers import Style, draw_style, near, series, spoken
from crossfoot.tasks.synthetic.wording import is_plural
from crossfoot.tasks.synthetic.wordlists import line_of, section


def draw_told(slots: Sequence[Slot], rng: Random) -> Grid:
    """One line over two or three years, about those of the table."""
    told = line_of(rng.choice(section("sentences", "told")))
    line = replace(told, names=(told.header.removeprefix("the "), *told.names[1:]))
    newest = max(slot.year for slot in slots) or rng.randint(2005, 2018)
    newest = min(newest, 2019) if rng.random() < 0.8 else newest - 1
    count = rng.choices((2, 3), (45, 55))[0]
    style = draw_style(rng)
    if line.kind == "money":
        style = Style(rng.choice((0, 1, 1, 2)), rng.uniform(0.6, 3.3), 1, False)
    years = tuple(
        Slot(str(y), str(y), (f"in {y}", f"in {y}", f"for {y}", f"in the year of {y}"), y)
        for y in range(newest, newest - count, -1)
    )
    small = line.kind == "percent" and bool(SMALL_RATE.search(line.header))
    figures = tuple(series(line.kind, count, style, rng, False, small))
    return Grid((line,), years, (figures,), "millions", in_table=False)


def sentence(grid: Grid, rng: Random) -> str:
    """The sentence that tells a grid of one line."""
    line = grid.lines[0]
    whole = line.kind == "shares" and "." not in grid.literal(0, 0)
    scale = "" if whole else grid.scale
    values = [spoken(text, line.kind, scale) for text in grid.literals[0]]
    years = [slot.short for slot in grid.slots]
    title = "series"
    if rng.random() < 0.5:
        title = "pairs" if len(values) == 2 else "triples"
    words = dict(zip("abc", values, strict=False)) | dict(zip("pqr", years, strict=False))
    words["was"] = "were" if is_plural(line.header) else "was"
    template = rng.choice(section("sentences", title))
    return template.format(x=line.header, v=_listed(values), y=_listed(years), **words)


def _listed(words: list[str]) -> str:
    return " , ".join(words[:-1]) + f" and {words[-1]}"


def filler(rng: Random) -> list[str]:
    """All filler sentences in random order, some with figures that no question asks about."""
    sentences = [*section("sentences", "filler")]
    for template in section("sentences", "numeric"):
        year = rng.randint(2003, 2019)
        words = {
            "m": f"{rng.uniform(2.0, 900.0):.{rng.randrange(2)}f}",
            "n": rng.randint(2, 480),
            "y": year,
            "z": year + rng.randint(1, 9),
            "p": f"{rng.uniform(1.0, 60.0):.1f}",
            "name": rng.choice(section("lines", "companies")).removesuffix(" inc ."),
        }
        sentences.append(template.format(**words))
    rng.shuffle(sentences)
    return sentences


def distractor(grid: Grid, rng: Random) -> str:
    """A sentence that nobody asks about, with figures and years like those asked about."""
    index = rng.randrange(len(grid.lines))
    line = grid.lines[index]
    literal = near(rng.choice([text for text in grid.literals[index] if text]), rng).lstrip("-")
    whole = line.kind == "shares" and "." not in literal
    year = max(slot.year for slot in grid.slots) or 2012
    return rng.choice(section("sentences", "distractors")).format(
        name=rng.choice(section("lines", "companies")),
        x=line.names[0],
        was="were" if is_plural(line.names[0]) else "was",
        v=spoken(literal, line.kind, "" if whole else grid.scale),
        y=rng.choice([slot.year for slot in grid.slots if slot.year] or [year]),
        z=year - 4,
    )
