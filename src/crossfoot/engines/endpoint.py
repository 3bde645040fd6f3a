"""Requests to a server that speaks the OpenAI API, bounded in size and time.

``await Endpoint("http://localhost:8000/v1").post(client, "chat/completions", {...})`` is the body
of the answer. What may pass (429, 5xx, a timeout, a connection that fails) is tried again with
growing pauses; anything else ends in one ModelError. The key comes from the environment alone
(``CROSSFOOT_API_KEY``, else ``OPENAI_API_KEY``) and is shown nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from crossfoot.errors import ModelError, RecipeError
from crossfoot.proxy import behind_proxy

MAX_BODY_BYTES = 1_000_000
MAX_SHOWN_CHARS = 200
CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 900.0  # a whole batch may wait its turn on a server without batching
PATIENCE_SECONDS = 120.0  # what a server may take to restart
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


class _Passing(Exception):
    """A failure that may pass; ``pause`` is how long the server asked to be left alone."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


class Endpoint:
    """One server's address, ``http://host:port/v1``, and how it is spoken to."""

    def __init__(self, address: str) -> None:
        self.address = _checked(address)
        self._key = os.environ.get("CROSSFOOT_API_KEY") or os.environ.get("OPENAI_API_KEY") or ""
        if not (self._key.isascii() and self._key.isprintable()):
            raise RecipeError("the API key in the environment has characters that no key has")
        self._reached = False

    @property
    def host(self) -> str:
        """Host and port, as a run folder records them."""
        return httpx.URL(self.address).netloc.decode("ascii")

    def client(self) -> httpx.AsyncClient:
        """A client for the requests of one event loop."""
        # A compressed body could unpack to any size.
        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        return behind_proxy(lambda: httpx.AsyncClient(headers=headers, timeout=timeout), ModelError)

    async def post(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bytes:
        """The body of the answer with status 200; ModelError where there is none to be had."""
        url = f"{self.address}/{path}"
        failing_since: float | None = None
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._post_once(client, url, body)
            except _Passing as failure:
                if not self._reached:
                    raise ModelError(
                        f"cannot reach {self.address}: {failure}",
                        advice="is the server running, and is this its address?",
                    ) from None
                now = time.monotonic()
                failing_since = now if failing_since is None else failing_since
                wait = max(random.uniform(pause / 2, pause), min(failure.pause, LONGEST_PAUSE))
                if now + wait - failing_since > PATIENCE_SECONDS:
                    raise ModelError(
                        f"{self.address} has kept failing for {PATIENCE_SECONDS:.0f} s: {failure}",
                        advice="see to the server, then run the same command again",
                    ) from None
                await asyncio.sleep(wait)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _post_once(self, client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> bytes:
        try:
            async with (
                asyncio.timeout(REQUEST_SECONDS),
                client.stream("POST", url, json=body) as response,
            ):
                self._reached = True
                content = await _bounded(response)
        except TimeoutError:
            raise _Passing(f"no answer within {REQUEST_SECONDS:.0f} s") from None
        except httpx.TransportError as error:
            raise _Passing(self._shown(str(error) or type(error).__name__)) from None
        except httpx.InvalidURL as error:
            raise ModelError(f"{self.address} is no address: {error}") from None
        if response.status_code == 200:
            return content
        told = f"answered {response.status_code}: {self._shown(_error_text(content))}"
        if response.status_code == 429 or response.status_code >= 500:
            raise _Passing(told, _retry_after(response.headers.get("Retry-After")))
        raise ModelError(f"{url} {told}", advice=_ADVICE.get(response.status_code))

    def _shown(self, text: str) -> str:
        """A server's words on one line, cut, without the key."""
        if self._key:
            text = text.replace(self._key, "***")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= MAX_SHOWN_CHARS else f"{line[:MAX_SHOWN_CHARS]}..."


_ADVICE = {
    401: "put the key in CROSSFOOT_API_KEY",
    403: "put a key that may do this in CROSSFOOT_API_KEY",
    404: "does --endpoint end as the server's manual says (mostly /v1), and does it serve --model?",
}


def _checked(address: str) -> str:
    try:
        url = httpx.URL(address)
        complete = url.scheme in ("http", "https") and bool(url.host) and (url.port or 1) < 2**16
    except (httpx.InvalidURL, ValueError) as error:
        raise RecipeError(f"--endpoint is no address: {error}") from None
    if not complete:
        raise RecipeError(
            f"--endpoint is no address: {address[:80]!r}", advice="such as http://localhost:8000/v1"
        )
    if url.userinfo or url.query or url.fragment:
        raise RecipeError(
            "--endpoint holds more than an address",
            advice="keys go into the environment, as CROSSFOOT_API_KEY",
        )
    return str(url).rstrip("/")


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ModelError(
                f"{response.url} answers with more than {MAX_BODY_BYTES:,} bytes",
                advice="is this an OpenAI-compatible server?",
            )
    return bytes(body)


def _error_text(content: bytes) -> str:
    """The message in an error body: OpenAI's ``error.message``, FastAPI's ``detail``, or all."""
    text = content.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    return found if isinstance(found, str) else text


def _retry_after(header: str | None) -> float:
    """Seconds that a ``Retry-After`` header asks for; 0 where it says nothing readable."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(str(header)) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
