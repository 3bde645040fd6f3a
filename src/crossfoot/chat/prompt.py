"""The system message of a conversation: instructions, then the page.

Forms of the same rules: ``long`` for models that read instructions, ``short`` for models of a few
hundred million parameters, which learn them from training instead and pay for every token, and
``labelled``, the short one with every cell of the table behind its row and column header;
``grounded`` is labelled, and each call is preceded by the cells that its numbers come from;
``scaled`` is grounded, and the table's scale caption is read before the cells.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from crossfoot.chat.messages import Message, system
from crossfoot.errors import RecipeError
from crossfoot.pages.markdown import render_page
from crossfoot.pages.page import Page

PromptForm = Literal["short", "long", "labelled", "grounded", "scaled"]

GROUNDED = ("grounded", "scaled")
LABELLED = ("labelled", *GROUNDED)
_SHARED = {"labelled": "short", "scaled": "grounded"}


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


def system_message(page: Page, form: PromptForm) -> Message:
    """Instructions and the page, as the first message of every conversation on it."""
    document = render_page(page, labelled=form in LABELLED)
    return system(f"{instructions(form)}\n\n## Document\n{document}")
