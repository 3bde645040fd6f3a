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
            f"{task} has nothing to get", advice="write it with: crossfoot data synth"
        )
    if source is not None and not source.is_dir():
        raise DataError("no such folder", file=source, advice="give the folder with the files")
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
            _download_convfinqa(wanted, folder, base_url, progress, pause)
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
    found = {
        split: path
        for split in splits
        for layout in reversed(_LAYOUTS)
        if (path := source / layout.format(task=task, split=split)).is_file()
    }
    if not found and task == "convfinqa" and (source / "data.zip").is_file():
        archive = source / "data.zip"
        _unpack(archive, splits, folder, archive)
        return
    if not found:
        raise DataError(
            f"no {', '.join(f'{split}.json' for split in splits)} of {task} here",
            file=source,
            advice=f"expected in {task}/ below it or in the folder itself",
        )
    for path in found.values():
        count_records(task, path)
    for split, path in found.items():
        target = split_file(task, split, folder)
        if target.exists() and target.samefile(path):
            continue
        part = target.with_name(target.name + ".copy")
        try:
            shutil.copyfile(path, part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


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
    splits: list[str], folder: Path, base_url: str, progress: Progress | None, pause: float
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
        pinned = {ZIP_PIN: file_sha256(archive)} | _unpack(archive, splits, folder, url)
    finally:
        archive.unlink()
    write_pins(folder, pins | pinned)


def _unpack(archive: Path, splits: list[str], folder: Path, origin: str | Path) -> dict[str, str]:
    """Take the files of ``splits`` out of the zip, if both splits have the official counts.

    Gives the hashes of both by their place in the data folder; ``origin`` is named in errors.
    """
    targets = {split: split_file("convfinqa", split, folder) for split in OFFICIAL["convfinqa"]}
    parts = {split: path.with_name(path.name + ".part") for split, path in targets.items()}
    digests = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for split, part in parts.items():
                _extract(opened, f"{split}.json", part, origin)
                _check_counts(split, part, origin)
                digests[f"convfinqa/{split}.json"] = file_sha256(part)
        for split in splits:
            os.replace(parts[split], targets[split])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"not readable as a zip ({error})", file=origin, advice="get it again"
        ) from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return digests


def _extract(opened: zipfile.ZipFile, name: str, part: Path, origin: str | Path) -> None:
    """Write one member, found by its last name, to ``part``: no path of the zip is used."""
    members = [
        member
        for member in opened.infolist()[:MAX_MEMBERS]
        if member.filename.split("/")[-1] == name and "__MACOSX" not in member.filename
    ]
    if len(members) != 1:
        raise DataError(
            f"{len(members)} files named {name} in it instead of one",
            file=origin,
            advice="not the official ConvFinQA archive: give a local copy with --from DIR",
        )
    with opened.open(members[0]) as content, part.open("wb") as file:
        _copy_bounded(content, file, origin)


def _copy_bounded(content: IO[bytes], file: IO[bytes], origin: str | Path) -> None:
    written = 0
    while chunk := content.read(1 << 20):
        written += len(chunk)
        if written > MAX_MEMBER_BYTES:
            raise DataError(f"holds a file of more than {MAX_MEMBER_BYTES:,} bytes", file=origin)
        file.write(chunk)


def _check_counts(split: str, part: Path, origin: str | Path) -> None:
    known = OFFICIAL["convfinqa"][split]
    conversations, turns = count_records("convfinqa", part)
    if (conversations, turns) != (known.conversations, known.turns):
        raise DataError(
            f"{split}.json holds {conversations:,} conversations and {turns:,} turns instead of "
            f"{known.conversations:,} and {known.turns:,}",
            file=origin,
            advice="not the official ConvFinQA archive: give a local copy with --from DIR",
        )
