"""Synthetic pages: a table with its words before and after, and the figures told in sentences.

Example: a page on "cash flows" with a sentence on rent expense of three years and another on shares
repurchased. Page shapes after the FinQA training pages (Chen et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from crossfoot.pages.page import Page
from crossfoot.pages.table import Table
from crossfoot.tasks.synthetic.deals import Deal, draw_deal
from crossfoot.tasks.synthetic.figures import Grid, Kind, Line, Scale, Slot, value_of
from crossfoot.tasks.synthetic.layouts import Layout, draw_layout
from crossfoot.tasks.synthetic.numbers import Style, cell, draw_style, near, series, spoken
from crossfoot.tasks.synthetic.prose import FILLER, NUMERIC, PAIRS, SERIES, TOLD, TRIPLES
from crossfoot.tasks.synthetic.vocabulary import COMPANIES
from crossfoot.tasks.synthetic.wording import may_be_confused

DASHES = ("2014", "-", "2014", "n/a")
# Events that a question could confuse with what a table of the topic holds.
TAKEN: Mapping[str, tuple[str, ...]] = {
    "awards": ("grant", "unrecognized"),
    "purchases": ("repurchase",),
    "shares": ("repurchase", "grant"),
    "cash flows": ("repurchase", "notes"),
    "operating statistics": ("staff",),
    "debt": ("notes",),
}
KINDS: Mapping[str, Kind] = {
    "money": "money",
    "percent": "percent",
    "shares": "shares",
    "price": "price",
    "count": "count",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A page and what a conversation may ask about it."""

    page: Page
    table: Grid
    told: tuple[Grid, ...]
    deals: tuple[Deal, ...]
    topic: str


def draw_page(page_id: str, rng: Random) -> Draft:
    """A page at random."""
    layout = draw_layout(rng)
    scale: Scale = layout.grid.scale or "millions"
    told: tuple[Grid, ...] = ()
    for _ in range(rng.choices((0, 1, 2), (40, 40, 20))[0]):
        grid = _told(layout, rng)
        lines = layout.grid.lines + tuple(line for one in told for line in one.lines)
        if not any(may_be_confused(grid.lines[0], line) for line in lines):
            told = (*told, grid)
    kinds = rng.choices((0, 1, 2), (50, 40, 10))[0]
    year = max((slot.year for slot in layout.grid.slots), default=0) or rng.randint(2005, 2018)
    taken = TAKEN.get(layout.topic, ())
    deals = tuple(
        deal for deal in (draw_deal(year, rng) for _ in range(kinds)) if deal.kind not in taken
    )
    deals = deals[:1] if len({deal.kind for deal in deals}) < len(deals) else deals
    before, after = _paragraphs(layout, told, deals, scale, rng)
    page = Page(page_id, before, Table(_rows(layout.grid, rng)), after)
    return Draft(page, layout.grid, told, deals, layout.topic)


def _told(layout: Layout, rng: Random) -> Grid:
    """One line over two or three years, for a sentence."""
    header, names, kind_name = rng.choice(TOLD)
    kind = KINDS[kind_name]
    years = [slot.year for slot in layout.grid.slots if slot.year]
    newest = max(years) if years else rng.randint(2005, 2018)
    newest = min(newest, 2019) if rng.random() < 0.8 else newest - 1
    count = rng.choices((2, 3), (45, 55))[0]
    style = draw_style(rng)
    if kind == "money":
        style = Style(rng.choice((0, 1, 1, 2)), rng.uniform(0.6, 3.3), 1, False)
    slots = tuple(
        Slot(str(y), str(y), (f"in {y}", f"in {y}", f"for {y}", f"in the year of {y}"), y)
        for y in range(newest, newest - count, -1)
    )
    bare = header.removeprefix("the ")
    line = Line(header, (bare, *names), kind)
    literals = (tuple(series(kind, count, style, rng, False)),)
    return Grid((line,), slots, literals, "millions", in_table=False)


def _sentence(grid: Grid, rng: Random) -> str:
    line = grid.lines[0]
    whole = line.kind == "shares" and "." not in grid.literal(0, 0)
    scale = "" if whole else grid.scale
    values = [spoken(text, line.kind, scale) for text in grid.literals[0]]
    years = [slot.short for slot in grid.slots]
    if rng.random() < 0.5:
        return rng.choice(SERIES).format(x=line.header, v=_listed(values), y=_listed(years))
    if len(values) == 2:
        (a, b), (p, q) = values, years
        return rng.choice(PAIRS).format(x=line.header, a=a, b=b, p=p, q=q)
    (a, b, c), (p, q, r) = values, years
    return rng.choice(TRIPLES).format(x=line.header, a=a, b=b, c=c, p=p, q=q, r=r)


def _listed(words: list[str]) -> str:
    return " , ".join(words[:-1]) + f" and {words[-1]}"


def _rows(grid: Grid, rng: Random) -> tuple[tuple[str, ...], ...]:
    """The table as printed."""
    dash = rng.choice(DASHES)
    everywhere = rng.random() < 0.15
    corner = _corner(grid.scale, rng) if len(grid.slots) > 1 else ""
    body = []
    for i, line in enumerate(grid.lines):
        dollar = everywhere or i in (0, grid.total) or line.kind == "price"
        body.append([cell(text, line.kind, dollar) if text else dash for text in grid.literals[i]])
    if grid.printed == "stacked":
        return _stacked(grid, body, rng)
    if grid.printed == "bare":
        return tuple((line.header, *row) for line, row in zip(grid.lines, body, strict=True))
    if grid.lines_are_rows:
        header = (corner, *(slot.header for slot in grid.slots))
        lines = [(line.header, *row) for line, row in zip(grid.lines, body, strict=True)]
        if grid.printed == "changes":
            return _with_changes(grid, header, lines)
        if rng.random() < 0.1:
            section = rng.choice(("as reported :", "consolidated :", "for the periods presented :"))
            lines.insert(rng.randrange(len(lines)), (section, *("" for _ in grid.slots)))
        return (header, *lines)
    header = (corner, *(line.header for line in grid.lines))
    turned = zip(grid.slots, zip(*body, strict=True), strict=True)
    return (header, *((slot.header, *column) for slot, column in turned))


def _stacked(grid: Grid, body: list[list[str]], rng: Random) -> tuple[tuple[str, ...], ...]:
    word = rng.choice(
        ("balance at december 31 , {}", "balance as of december 31 {}", "december 31 {}")
    )
    rows = [("", _corner(grid.scale, rng))] if rng.random() < 0.4 else []
    for column, slot in enumerate(grid.slots):
        for i, line in enumerate(grid.lines):
            if grid.literal(i, column):
                last = i == len(grid.lines) - 1
                header = word.format(slot.year) if last else line.header
                rows.append((header, body[i][column]))
    return tuple(rows)


def _with_changes(
    grid: Grid, header: tuple[str, ...], lines: list[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """A last column with the change of the two newest years in percent."""
    new, old = grid.slots[0].year, grid.slots[1].year
    rows = []
    for i, row in enumerate(lines):
        texts = grid.literals[i][:2]
        base = value_of(texts[1]) if texts[1] else 0.0
        change = (value_of(texts[0]) - base) / abs(base) * 100.0 if texts[0] and base else None
        rows.append((*row, "n/m" if change is None else cell(f"{change:.0f}%", "percent", False)))
    return ((*header, f"% ( % ) change {new} v {old}"), *rows)


def _corner(scale: Scale, rng: Random) -> str:
    if not scale or rng.random() < 0.4:
        return ""
    return rng.choice(
        (
            f"( in {scale} )",
            f"in {scale}",
            scale,
            f"( dollars in {scale} )",
            f"$ in {scale}",
            f"in {scale} of dollars",
            f"( {scale} of dollars )",
            f"( in {scale} except per share )",
        )
    )


def _paragraphs(
    layout: Layout, told: tuple[Grid, ...], deals: tuple[Deal, ...], scale: Scale, rng: Random
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Text before and after the table; the last sentence before it introduces it."""
    facts = [_sentence(grid, rng) for grid in told] + [deal.sentence for deal in deals]
    facts += [_distractor(layout.grid, rng) for _ in range(rng.choices((0, 1, 2), (45, 35, 20))[0])]
    length = rng.lognormvariate(6.3, 0.75)
    filler = list(FILLER) + [_numeric(text, rng) for text in NUMERIC]
    rng.shuffle(filler)
    sentences = facts
    while filler and sum(map(len, sentences)) < length:
        sentences = [*sentences, filler.pop()]
    rng.shuffle(sentences)
    cut = rng.randint(0, len(sentences))
    named = f" ( in {scale} )" if layout.grid.scale and rng.random() < 0.5 else ""
    intro = f"{layout.intro}{named} {rng.choice(('.', ': .'))}"
    before = [*sentences[:cut], intro]
    after = sentences[cut:]
    if rng.random() < 0.3:
        return (" ".join(before),), (" ".join(after),) if after else ()
    return tuple(before), tuple(after)


def _numeric(template: str, rng: Random) -> str:
    """A filler sentence with figures that no question asks about."""
    year = rng.randint(2003, 2019)
    return template.format(
        m=f"{rng.uniform(2.0, 900.0):.{rng.choice((0, 1))}f}",
        n=rng.randint(2, 480),
        y=year,
        z=year + rng.randint(1, 9),
        p=f"{rng.uniform(1.0, 60.0):.1f}",
        name=rng.choice(COMPANIES).removesuffix(" inc ."),
    )


def _distractor(grid: Grid, rng: Random) -> str:
    """A true sentence that nobody asks about, with figures and years like those asked about."""
    line = rng.choice(grid.lines)
    i = grid.lines.index(line)
    texts = [text for text in grid.literals[i] if text]
    if not texts:
        return rng.choice(FILLER)
    literal = near(rng.choice(texts), rng).lstrip("-")
    value = spoken(literal, line.kind, grid.scale)
    years = [slot.year for slot in grid.slots if slot.year] or [2012]
    year = rng.choice(years)
    name = rng.choice(COMPANIES)
    return rng.choice(
        (
            f"{name} reported {line.header} of {value} in {year} .",
            f"for the first quarter of {year} , {line.header} of our joint venture was {value} .",
            f"our outlook of {line.header} for the coming year assumes {value} .",
            f"excluding the businesses sold in {year} , comparable {line.header} was {value} .",
            f"a hypothetical change of 10% ( 10 % ) in {year - 4} would have moved "
            f"{line.header} by {value} .",
        )
    )
