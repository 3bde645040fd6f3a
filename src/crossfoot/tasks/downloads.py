"""Getting the official data: downloaded and verified, or copied from a local folder.

``get("convfinqa", data_folder())`` leaves ``convfinqa/train.json`` and ``convfinqa/dev.json`` in
the data folder. FinQA (https://github.com/czyssrs/FinQA) is checked by sha256; the zip of ConvFinQA
(https://github.com/czyssrs/ConvFinQA), whose hash nobody published, by its counts, and from the
second download on by the hash of the first.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO

from crossfoot.errors import DataError, RecipeError
from crossfoot.tasks.fetch import Progress, fetch
from crossfoot.tasks.official import (
    OFFICIAL,
    PINS,
    FileReport,
    count_records,
    describe,
    file_sha256,
    read_pins,
    write_pins,
)
from crossfoot.tasks.registry import TASKS, find_task, split_file

BASE_URL = "https://raw.githubusercontent.com"
FINQA_PATH = "czyssrs/FinQA/main/dataset"
CONVFINQA_PATH = "czyssrs/ConvFinQA/main/data.zip"
ZIP_PIN = "convfinqa/data.zip"
MAX_ZIP_BYTES = 200_000_000
MAX_MEMBER_BYTES = 500_000_000
MAX_MEMBERS = 1000
_LAYOUTS = ("{task}/{split}.json", "{split}.json", "dataset/{split}.json", "data/{split}.json")


def get(
    task: str,
    folder: Path,
    *,
    source: Path | None = None,
    force: bool = False,
    base_url: str = BASE_URL,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> list[FileReport]:
    """Bring the files of a task into the data folder and say what they are.

    Files that are there already stay, unless ``force``; ``source`` is a local folder to copy from.
    """
    if find_task(task).name not in OFFICIAL:
        raise RecipeError(
            f"{task} has nothing to get", advice=f"write it with: crossfoot data {task[:5]}"
        )
    try:
        (folder / task).mkdir(parents=True, exist_ok=True)
        wanted = [
            split
            for split in OFFICIAL[task]
            if force or not split_file(task, split, folder).exists()
        ]
        if wanted and source is not None:
            _copy(task, wanted, source, folder)
        elif wanted and task == "finqa":
            for split in wanted:
                _download_finqa(split, folder, base_url, progress, pause)
        elif wanted:
            _download_convfinqa(folder, base_url, progress, pause)
    except OSError as error:
        raise DataError(
            error.strerror or str(error),
            file=error.filename or folder,
            advice="CROSSFOOT_DATA names the folder that data is written to",
        ) from None
    return present(folder, task)


def present(folder: Path, task: str | None = None) -> list[FileReport]:
    """What the data folder holds, of one task or of all."""
    pins = read_pins(folder)
    return [
        describe(known.name, split, path, pins)
        for known in ([find_task(task)] if task else TASKS.values())
        for split in known.splits
        if (path := split_file(known.name, split, folder)).exists()
    ]


def _copy(task: str, splits: list[str], source: Path, folder: Path) -> None:
    if not source.is_dir():
        raise DataError("no such folder", file=source, advice="give the folder with the files")
    places = {
        split: path
        for split in splits
        for layout in reversed(_LAYOUTS)
        if (path := source / layout.format(task=task, split=split)).is_file()
    }
    if not places and task == "convfinqa" and (source / "data.zip").is_file():
        _unpack(source / "data.zip", folder)
        return
    if not places:
        raise DataError(
            f"no {', '.join(f'{split}.json' for split in splits)} of {task} here",
            file=source,
            advice=f"expected them in {source.name or source}/{task} or in the folder itself",
        )
    parts = {}
    for split, path in places.items():
        count_records(path)
        target = split_file(task, split, folder)
        if target.exists() and target.samefile(path):
            continue
        parts[split] = target.with_name(target.name + ".copy")
        shutil.copyfile(path, parts[split])
    for split, part in parts.items():
        os.replace(part, split_file(task, split, folder))


def _download_finqa(
    split: str, folder: Path, base_url: str, progress: Progress | None, pause: float
) -> None:
    known = OFFICIAL["finqa"][split]
    url = f"{base_url}/{FINQA_PATH}/{split}.json"

    def check(part: Path) -> None:
        digest = file_sha256(part)
        if digest != known.sha256:
            raise DataError(
                f"sha256 {digest[:12]}… instead of {str(known.sha256)[:12]}…",
                file=url,
                advice="not the official file: try again, or give a local copy with --from DIR",
            )

    target = split_file("finqa", split, folder)
    fetch(url, target, check, max_bytes=known.size or 0, progress=progress, pause=pause)


def _download_convfinqa(
    folder: Path, base_url: str, progress: Progress | None, pause: float
) -> None:
    url = f"{base_url}/{CONVFINQA_PATH}"
    pins = read_pins(folder)
    archive = folder / "convfinqa" / "data.zip"

    def check(part: Path) -> None:
        digest = file_sha256(part)
        if pins.get(ZIP_PIN, digest) != digest:
            raise DataError(
                f"sha256 {digest[:12]}… differs from that of the first download",
                file=url,
                advice=f"if it may have changed, delete {folder / PINS} and run again",
            )
        if not zipfile.is_zipfile(part):
            raise DataError("not a zip file", file=url, advice="try again, or use --from DIR")

    fetch(url, archive, check, max_bytes=MAX_ZIP_BYTES, progress=progress, pause=pause)
    try:
        digest = file_sha256(archive)
        _unpack(archive, folder)
    finally:
        archive.unlink()
    pinned = {ZIP_PIN: digest}
    for split in OFFICIAL["convfinqa"]:
        path = split_file("convfinqa", split, folder)
        pinned[f"convfinqa/{split}.json"] = file_sha256(path)
    write_pins(folder, pins | pinned)


def _unpack(archive: Path, folder: Path) -> None:
    """Take the conversation files out of the zip, if both have the official counts."""
    targets = {split: split_file("convfinqa", split, folder) for split in OFFICIAL["convfinqa"]}
    parts = {split: path.with_name(path.name + ".part") for split, path in targets.items()}
    try:
        with zipfile.ZipFile(archive) as opened:
            for split, part in parts.items():
                _extract(opened, f"{split}.json", part, archive)
                _check_counts(split, part, archive)
        for split, part in parts.items():
            os.replace(part, targets[split])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"not readable as a zip ({error})", file=archive, advice="get it again"
        ) from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _extract(opened: zipfile.ZipFile, name: str, part: Path, archive: Path) -> None:
    """Write one member, found by its last name, to ``part``: no path of the zip is used."""
    members = [
        member
        for member in opened.infolist()[:MAX_MEMBERS]
        if member.filename.split("/")[-1] == name and "__MACOSX" not in member.filename
    ]
    if len(members) != 1:
        raise DataError(
            f"{len(members)} files named {name} in it instead of one",
            file=archive,
            advice="not the official ConvFinQA archive: give a local copy with --from DIR",
        )
    with opened.open(members[0]) as content, part.open("wb") as file:
        _copy_bounded(content, file, archive)


def _copy_bounded(content: IO[bytes], file: IO[bytes], archive: Path) -> None:
    written = 0
    while chunk := content.read(1 << 20):
        written += len(chunk)
        if written > MAX_MEMBER_BYTES:
            raise DataError(f"holds a file of more than {MAX_MEMBER_BYTES:,} bytes", file=archive)
        file.write(chunk)


def _check_counts(split: str, part: Path, archive: Path) -> None:
    known = OFFICIAL["convfinqa"][split]
    conversations, turns = count_records(part)
    if (conversations, turns) != (known.conversations, known.turns):
        raise DataError(
            f"{split}.json holds {conversations:,} conversations and {turns:,} turns instead of "
            f"{known.conversations:,} and {known.turns:,}",
            file=archive,
            advice="not the official ConvFinQA archive: give a local copy with --from DIR",
        )
