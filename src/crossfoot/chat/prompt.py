"""The system message of a conversation: instructions, then the page.

Forms of the same rules: ``long`` for models that read instructions, ``short`` for models of a few
hundred million parameters, which learn them from training instead and pay for every token, and
``labelled``, the short one with every cell of the table behind its row and column header;
``grounded`` is labelled, and each call is preceded by the rows and sentences that its numbers come
from. ``ranked`` shows of a page its table, and behind each question the rows and sentences that it
is most likely about, which makes it a third as long; ``chosen`` is the same with lines by a fitted
ranking (pages/ranking.py), as many as it takes to be likely right; ``scaled`` reads the table's
scale caption before the cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from crossfoot.chat.messages import Message, system, user
from crossfoot.errors import RecipeError
from crossfoot.pages.markdown import labelled_units, render_page
from crossfoot.pages.page import Page

PromptForm = Literal["short", "long", "labelled", "grounded", "scaled", "ranked", "chosen"]

LISTED = ("ranked", "chosen")  # likely lines stand behind the questions, not before them
GROUNDED = ("grounded", "scaled", *LISTED)
QUOTED = ("grounded", *LISTED)  # output can be held to quotes of the page (engines/quotes.py)
LABELLED = ("labelled", *GROUNDED)
_SHARED = {"labelled": "short", "scaled": "grounded", "ranked": "grounded", "chosen": "grounded"}
LINES = 4  # of a page behind a question, at most
LIKELY_ENOUGH = 0.85  # the share of ``chosen`` lines, together
LINE_CHARS = 300
LIKELY = "Likely lines:"
CUT = " ..."


def prompt_form(name: str) -> PromptForm:
    """A prompt form by name."""
    for form in get_args(PromptForm):
        if form == name:
            return form  # type: ignore[no-any-return]
    known = ", ".join(get_args(PromptForm))
    raise RecipeError(f"unknown prompt {name!r}", advice=f"known are {known}")


@cache
def instructions(form: PromptForm) -> str:
    """The unit and scale rules with worked examples."""
    name = _SHARED.get(form, form)
    return (files("crossfoot.chat") / "prompts" / f"{name}.md").read_text("utf-8").strip()


def question_message(page: Page | None, questions: Sequence[str], form: PromptForm) -> Message:
    """The last of the questions as the user's message.

    ``ranked`` and ``chosen`` have the likely lines of the page behind it, those left out that
    already stand behind an earlier question. Raises ValueError where these have no page.
    """
    question = questions[-1]
    if form not in LISTED:
        return user(question)
    if page is None:
        raise ValueError(f"a {form} question needs its page")
    units = labelled_units(page)
    shown: dict[str, None] = {}
    new: list[str] = []
    for count in range(1, len(questions) + 1):
        likely = likely_units(page, questions[:count], form)
        new = [name for name in likely if name not in shown]
        shown |= dict.fromkeys(new)
    return user("\n".join([question, *([LIKELY] if new else []), *(_cut(units[n]) for n in new)]))


def likely_units(page: Page, questions: Sequence[str], form: PromptForm) -> tuple[str, ...]:
    """The units of a page that a conversation is likely about now, the best first.

    ``ranked`` takes the first four by BM25, the query being all questions so far, the last one
    twice; ``chosen`` takes the likeliest until they are likely enough. Of units that read alike the
    first stands for all. All new numbers of a turn stand in four for 89% of turns, in 2.3 chosen
    ones for 87% (ConvFinQA validation, benchmarks/ranking.py).
    """
    lines = labelled_units(page)
    first: dict[str, str] = {}
    for name in _likely(page, questions, form):
        first.setdefault(lines[name], name)
    return tuple(first.values())[:LINES]


def _likely(page: Page, questions: Sequence[str], form: PromptForm) -> Iterator[str]:
    """Units in the order of the form's ranking, as far as it wants any."""
    from crossfoot.pages.ranking import likeliest
    from crossfoot.pages.retrieval import ranked

    if form != "chosen":
        yield from ranked(page, " ".join([*questions, questions[-1]]))
        return
    together = 0.0
    for name, share in likeliest(page, questions):
        if together >= LIKELY_ENOUGH:
            return
        together += share
        yield name


def _cut(line: str) -> str:
    """A line, or the beginning of a long one without half a word or number."""
    if len(line) <= LINE_CHARS:
        return line
    return f"{line[:LINE_CHARS].rsplit(' ', 1)[0]}{CUT}"


def system_message(page: Page, form: PromptForm) -> Message:
    """Instructions and the page, as the first message of every conversation on it.

    Of a page whose sentences stand behind the questions it is the table alone.
    """
    document = render_page(page, labelled=form in LABELLED, sentences=form not in LISTED)
    return system(f"{instructions(form)}\n\n## Document\n{document}")
