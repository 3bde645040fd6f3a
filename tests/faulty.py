"""A real HTTP server on this machine that answers as a test tells it to, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tuned"
# Gets the handler and the request's body, and answers.
Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


def message(content: str | None = None, calls: list[tuple[str, str]] | None = None) -> Answer:
    """A completion with this content and these calls (name, arguments as JSON text)."""
    return body(completion(content, calls))


def completion(
    content: str | None = None,
    calls: list[tuple[str, str]] | None = None,
    model: str = MODEL,
    finish: str = "stop",
) -> dict[str, Any]:
    """The document of a completion."""
    said: dict[str, Any] = {"role": "assistant", "content": content}
    if calls is not None:
        said["tool_calls"] = [
            {"id": f"x{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for n, (name, arguments) in enumerate(calls)
        ]
    return {
        "id": "1",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def body(document: Any, status: int = 200, **headers: str) -> Answer:
    """A document as JSON."""
    return raw(json.dumps(document).encode(), status, **headers)


def raw(content: bytes, status: int = 200, *, missing: int = 0, **headers: str) -> Answer:
    """Bytes; ``missing`` more are promised than are sent."""

    def answer(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) + missing))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def hang_up(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


class Server:
    """Answers in the order of ``answers``; the last of them goes on for ever."""

    def __init__(self, *answers: Answer, port: int = 0) -> None:
        self.answers = list(answers)
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                request = json.loads(self.rfile.read(length))
                owner._answer(self, request)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _answer(self, handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        with self._lock:
            self.seen.append({"path": handler.path, **request})
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(handler, request)

    def stop(self) -> None:
        """Stop listening; the port is free again."""
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(*answers: Answer, port: int = 0) -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server(*answers, port=port)
    try:
        yield server
    finally:
        server.stop()


def unused_port() -> int:
    """A port on which nothing listens."""
    with serving(hang_up) as server:
        return server.port
