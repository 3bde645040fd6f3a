"""Fetching one large file over HTTP: resumed where it stopped, bounded, kept only when right.

``fetch(url, Path("dev.json"), check, max_bytes=11_222_546)`` writes ``dev.json.part``, asks for the
missing bytes only (``Range``) where a part is there already, calls ``check`` on the whole and
renames it. A part survives a broken connection, and nothing else survives a failure.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from crossfoot.errors import DataError
from crossfoot.proxy import behind_proxy

ATTEMPTS = 5
MAX_SECONDS = 3600.0
_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_ADVICE = "or give a local copy with --from DIR"

Check = Callable[[Path], None]
Progress = Callable[[str, int, int | None], None]


def fetch(
    url: str,
    target: Path,
    check: Check,
    *,
    max_bytes: int,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> None:
    """Download ``url`` to ``target``; ``check`` raises DataError where the bytes are wrong.

    ``pause`` seconds, doubled each time, lie between attempts.
    """
    part = target.with_name(target.name + ".part")
    # What is wrong may be the bytes of an earlier download of another version.
    resumed = part.exists()
    while True:
        _receive(url, part, max_bytes, progress, pause)
        try:
            check(part)
        except DataError:
            part.unlink()
            if not resumed:
                raise
            resumed = False
            continue
        os.replace(part, target)
        return


def _receive(url: str, part: Path, max_bytes: int, progress: Progress | None, pause: float) -> None:
    """Fill ``part`` with all the bytes of ``url``, in several attempts if need be."""
    deadline = time.monotonic() + MAX_SECONDS
    reason = ""
    with behind_proxy(
        lambda: httpx.Client(timeout=_TIMEOUT, follow_redirects=True, max_redirects=5), DataError
    ) as client:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(pause * 2 ** (attempt - 1))
            try:
                reason = _attempt(client, url, part, max_bytes, progress, deadline)
            except httpx.InvalidURL as error:
                raise DataError(f"not a URL: {error}", file=url) from None
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            if not reason:
                return
    raise DataError(
        f"download failed after {ATTEMPTS} attempts ({reason})",
        file=url,
        advice=f"run the command again to go on where it stopped, {_ADVICE}",
    )


def _attempt(
    client: httpx.Client,
    url: str,
    part: Path,
    max_bytes: int,
    progress: Progress | None,
    deadline: float,
) -> str:
    """One request; empty where the part is complete, else why it is worth another attempt."""
    have = part.stat().st_size if part.exists() else 0
    # Ranges count encoded bytes, so that a compressed answer could not be resumed.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with client.stream("GET", url, headers=headers) as response:
        if have and response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return ""  # nothing is missing, or the part is of another file: the check tells
        if response.status_code in _BUSY:
            return f"HTTP {response.status_code}"
        _refuse(response, url)
        whole = not _continues(response, have)
        start = 0 if whole else have
        total = _total(response, start)
        _refuse_size(total or 0, max_bytes, url)
        with part.open("wb" if whole else "ab") as file:
            # No chunk size: a partly filled chunk would be lost with the connection.
            for chunk in response.iter_bytes():
                start += len(chunk)
                if start > max_bytes:
                    file.close()
                    part.unlink()
                    _refuse_size(start, max_bytes, url)
                if time.monotonic() > deadline:
                    raise DataError(
                        f"slower than {MAX_SECONDS / 60:.0f} minutes",
                        file=url,
                        advice=f"run the command again to go on, {_ADVICE}",
                    )
                file.write(chunk)
                if progress is not None:
                    progress(part.name.removesuffix(".part"), start, total)
    return "" if total is None or start == total else f"{start} of {total} bytes arrived"


def _continues(response: httpx.Response, have: int) -> bool:
    """Whether the server sends the bytes from ``have`` on, and not the whole file."""
    given = response.headers.get("Content-Range", "")
    return response.status_code == httpx.codes.PARTIAL_CONTENT and given.startswith(
        f"bytes {have}-"
    )


def _total(response: httpx.Response, start: int) -> int | None:
    """The size of the whole file, where the server tells it."""
    length = response.headers.get("Content-Length", "")
    known = length.isdecimal() and len(length) < 16 and "Content-Encoding" not in response.headers
    return start + int(length) if known else None


def _refuse(response: httpx.Response, url: str) -> None:
    if not response.is_success:
        raise DataError(
            f"the server answered HTTP {response.status_code}",
            file=url,
            advice=f"check the connection, {_ADVICE}",
        )
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise DataError(
            "the server sent a web page, not the file",
            file=url,
            advice=f"a proxy or a login page may be in between: check the connection, {_ADVICE}",
        )


def _refuse_size(size: int, max_bytes: int, url: str) -> None:
    if size > max_bytes:
        raise DataError(
            f"larger than the {max_bytes:,} bytes that it should have at most",
            file=url,
            advice=f"the file has changed: {_ADVICE.removeprefix('or ')}",
        )
