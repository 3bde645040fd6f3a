"""Tasks by name, and where their data lies.

``load_task("convfinqa", "dev")`` reads ``<data>/convfinqa/dev.json``; ``<data>`` is the folder
that the environment variable ``CROSSFOOT_DATA`` names, else ``~/.cache/crossfoot/data``.
Synthetic conversations need no file: they are generated where there is none.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfoot.errors import DataError, RecipeError
from crossfoot.files import user_path
from crossfoot.tasks.base import Sample
from crossfoot.tasks.convfinqa import read_convfinqa
from crossfoot.tasks.finqa import read_finqa
from crossfoot.tasks.split import VALIDATION, validation_split

SYNTHETIC = {"train": (2000, 0), "dev": (200, 1)}  # split: conversations, seed


def _generate(split: str) -> list[Sample]:
    from crossfoot.tasks.synthetic.generate import generate

    count, seed = SYNTHETIC[split]
    return generate(count, seed)


@dataclass(frozen=True, slots=True)
class Task:
    """A named set of samples; ``generate`` makes a split that has no file."""

    name: str
    splits: tuple[str, ...]
    read: Callable[[Path, bool], list[Sample]]
    generate: Callable[[str], list[Sample]] | None = None


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("finqa", ("train", "train_partial", "dev", "test"), read_finqa),
        Task("convfinqa", ("train", "train_partial", "dev"), read_convfinqa),
        Task("synthetic", tuple(SYNTHETIC), read_convfinqa, _generate),
    )
}


def data_folder() -> Path:
    """Where data lies: ``CROSSFOOT_DATA``, or a folder of the user's cache."""
    named = os.environ.get("CROSSFOOT_DATA")
    return user_path(named) if named else Path.home() / ".cache" / "crossfoot" / "data"


def find_task(name: str, split: str | None = None) -> Task:
    """The task of this name; refuses unknown names and splits with the nearest known one."""
    task = _known(TASKS, name, "task")
    if split is not None:
        _known(dict.fromkeys((*task.splits, VALIDATION), task), split, f"split of {name}")
    return task


def split_file(name: str, split: str, folder: Path | None = None) -> Path:
    """Where the file of a split lies in the data folder."""
    return (folder or data_folder()) / name / f"{split}.json"


def load_task(
    name: str, split: str, folder: Path | None = None, skip_bad: bool = False
) -> list[Sample]:
    """The conversations of a split, in the order of its file.

    ``validation`` is what recipes hold out of train unless they say otherwise.
    """
    if split == VALIDATION:
        return validation_split(load_task(name, "train", folder, skip_bad))[1]
    task = find_task(name, split)
    path = split_file(name, split, folder)
    if path.exists():
        return task.read(path, skip_bad)
    if task.generate is not None:
        return task.generate(split)
    raise DataError(
        "no such file",
        file=path,
        advice=f"get it with: crossfoot data get {name} (or name your data folder in "
        "CROSSFOOT_DATA)",
    )


@contextmanager
def naming_file(name: str, split: str) -> Iterator[None]:
    """Give errors about a record of this split the file that it stands in."""
    try:
        yield
    except DataError as error:
        if error.file is None and error.record is not None:
            error.file = split_file(name, "train" if split == VALIDATION else split)
        raise


def _known(known: Mapping[str, Task], name: str, what: str) -> Task:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise RecipeError(f"unknown {what}: {name[:60]!a}", advice=hint)
