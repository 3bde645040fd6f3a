"""Asking sympy whether two expressions simplify to the same one, within bounds.

``same_simplified("( a0 + a1 ) - a1", "a0 * a1 / a1")`` is True. This is what the official FinQA
script does (``simplify(text, evaluate=False)``, then ``==``; https://github.com/czyssrs/FinQA).
``simplify`` can run for ever, so it runs in a process of its own that is ended after a time limit.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import subprocess
import sys
import threading
from functools import lru_cache

TIME_LIMIT = 10.0
_MEMORY_LIMIT = 2 * 1024**3


@lru_cache(maxsize=10_000)
def same_simplified(first: str, second: str) -> bool | None:
    """sympy's verdict; None where it fails or takes longer than ``TIME_LIMIT`` seconds."""
    return _WORKER.ask(first, second)


class _Worker:
    """One process that answers a pair of expressions a line."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, first: str, second: str) -> bool | None:
        with self._lock:
            process = self._started()
            timer = threading.Timer(TIME_LIMIT, process.kill)
            timer.start()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps([first, second]) + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            except OSError:
                answer = ""
            finally:
                timer.cancel()
            if not answer:
                self._end()
                return None
            verdict = json.loads(answer)
            return verdict if isinstance(verdict, bool) else None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            atexit.register(self._end)
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        atexit.unregister(self._end)
        process.kill()
        # Leaving the context closes the pipes and waits.
        with contextlib.suppress(OSError), process:
            pass


_WORKER = _Worker()


def _serve() -> None:
    """Answer pairs of expressions from standard input until it ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    from sympy import simplify

    for line in sys.stdin:
        first, second = json.loads(line)
        try:
            verdict = bool(simplify(first, evaluate=False) == simplify(second, evaluate=False))
        except Exception:
            verdict = None
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    _serve()
