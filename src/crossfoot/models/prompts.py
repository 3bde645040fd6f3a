"""The prompt that a model was trained on, kept beside its weights. Needs no torch.

``prompt_of(None, Path("runs/mine/final_model"))`` is ``grounded`` where it was trained so:
asked in another form it answers nonsense.
"""

from __future__ import annotations

import json
from pathlib import Path

from crossfoot.chat.prompt import PromptForm, prompt_form
from crossfoot.errors import ModelError

PROMPT = "crossfoot.json"


def write_prompt(folder: Path, prompt: PromptForm) -> None:
    """Keep the prompt that a model was trained on beside its weights."""
    (folder / PROMPT).write_text(json.dumps({"prompt": prompt}) + "\n", "utf-8")


def prompt_of(name: str | None, *folders: Path | str | None) -> PromptForm:
    """The prompt called ``name``, or else that of the first folder that keeps one, or ``short``."""
    if name is not None:
        return prompt_form(name)
    for folder in folders:
        if folder is None:
            continue
        path = Path(folder).expanduser() / PROMPT
        if not path.is_file():
            continue
        try:
            return prompt_form(str(json.loads(path.read_text("utf-8"))["prompt"]))
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise ModelError("does not name a prompt", file=path) from error
    return "short"
