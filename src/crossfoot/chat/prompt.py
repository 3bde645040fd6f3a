"""The system message of a conversation: instructions, then the page.

Two forms of the same rules: ``long`` for models that read instructions, ``short`` for models of a
few hundred million parameters, which learn them from training instead and pay for every token.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from crossfoot.chat.messages import Message, system
from crossfoot.errors import RecipeError
from crossfoot.pages.markdown import render_page
from crossfoot.pages.page import Page

PromptForm = Literal["short", "long"]


def prompt_form(name: str) -> PromptForm:
    """A prompt form by name."""
    for form in get_args(PromptForm):
        if form == name:
            return form  # type: ignore[no-any-return]
    raise RecipeError(f"unknown prompt {name!r}", advice="known are short, long")


@cache
def instructions(form: PromptForm) -> str:
    """The unit and scale rules with worked examples."""
    return (files("crossfoot.chat") / "prompts" / f"{form}.md").read_text("utf-8").strip()


def system_message(page: Page, form: PromptForm) -> Message:
    """Instructions and the page, as the first message of every conversation on it."""
    return system(f"{instructions(form)}\n\n## Document\n{render_page(page)}")
