"""Clients of HTTP behind the proxy that the environment names, or one line that refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import httpx

from crossfoot.errors import CrossfootError

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)


def behind_proxy(open_client: Callable[[], Client], refusal: type[CrossfootError]) -> Client:
    """The client that ``open_client`` makes; ``refusal`` where its proxy is none.

    It may be a SOCKS one without its package, or no URL.
    """
    try:
        return open_client()
    except (httpx.InvalidURL, ImportError, ValueError) as error:
        raise refusal(f"the proxy in the environment cannot be used: {error}") from None
