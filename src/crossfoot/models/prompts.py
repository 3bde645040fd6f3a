"""The prompt that a model was trained on and what it writes, beside its weights. Needs no torch.

``prompt_of(None, Path("runs/mine/final_model"))`` is ``grounded`` where it was trained so:
asked in another form it answers nonsense.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crossfoot.chat.prompt import PromptForm, prompt_form
from crossfoot.errors import ModelError
from crossfoot.files import user_path

PROMPT = "crossfoot.json"


def write_prompt(folder: Path, prompt: PromptForm, target: str = "tool") -> None:
    """Keep the prompt that a model was trained on beside its weights, and what it writes."""
    (folder / PROMPT).write_text(json.dumps({"prompt": prompt, "target": target}) + "\n", "utf-8")


def prompt_of(name: str | None, *folders: Path | str | None) -> PromptForm:
    """The prompt called ``name``, or else that of the first folder that keeps one, or ``short``."""
    if name is not None:
        return prompt_form(name)
    kept = _kept(*folders)
    return prompt_form(kept["prompt"]) if kept else "short"


def target_of(*folders: Path | str | None) -> str:
    """What the model of the first folder that says so writes; calls where none does."""
    return str(_kept(*folders).get("target", "tool"))


def check_writes_calls(*folders: Path | str | None) -> None:
    """ModelError for a model that was trained to write something else."""
    target = target_of(*folders)
    if target != "tool":
        raise ModelError(
            f"this model was trained to write one {target}, not calls",
            advice=f"crossfoot eval finqa --target {target} asks it so",
        )


def _kept(*folders: Path | str | None) -> dict[str, Any]:
    """What the first folder says that says anything; it names a prompt."""
    for folder in folders:
        if folder is None:
            continue
        path = user_path(folder) / PROMPT
        if not path.is_file():
            continue
        try:
            kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
            prompt_form(str(kept["prompt"]))
            return kept
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise ModelError("does not name a prompt", file=path) from error
    return {}
