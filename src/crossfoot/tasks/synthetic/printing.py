"""How a grid is printed as a FinQA table: corner, dashes, dollar signs, odd shapes.

Example: the literal ``-26`` under 2016 becomes the cell ``-26 ( 26 )``. Shapes after the FinQA
training pages (Chen et al. 2021).
"""

from __future__ import annotations

from random import Random

from crossfoot.tasks.synthetic.figures import Grid, Scale, value_of
from crossfoot.tasks.synthetic.numbers import cell

Rows = tuple[tuple[str, ...], ...]
# A dash came out of the filings as "2014", the number of its character.
_DASHES = ("2014", "-", "2014", "n/a")


def print_table(grid: Grid, rng: Random) -> Rows:
    """The table as printed."""
    dash = rng.choice(_DASHES)
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
            title = rng.choice(("as reported :", "consolidated :", "for the periods presented :"))
            lines.insert(rng.randrange(len(lines)), (title, *("" for _ in grid.slots)))
        return (header, *lines)
    header = (corner, *(line.header for line in grid.lines))
    turned = zip(grid.slots, zip(*body, strict=True), strict=True)
    return (header, *((slot.header, *column) for slot, column in turned))


def _stacked(grid: Grid, body: list[list[str]], rng: Random) -> Rows:
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


def _with_changes(grid: Grid, header: tuple[str, ...], lines: list[tuple[str, ...]]) -> Rows:
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
