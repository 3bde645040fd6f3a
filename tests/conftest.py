"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

# Models in tests are tiny: more threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# No test asserts a time, and a busy machine is no failure.
settings.register_profile("crossfoot", deadline=None)
settings.load_profile("crossfoot")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def crossfoot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[object, str, str]]:
    """Runs ``crossfoot`` in this process; its exit code, stdout and stderr."""
    from crossfoot.cli import main

    def run(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["crossfoot", *map(str, arguments)])
        code: object = 0
        try:
            main.run()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real FinQA and ConvFinQA records, never part of the project."""
    folder = Path(os.environ.get("CROSSFOOT_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "convfinqa" / "dev.json").is_file():
        pytest.skip(f"no real data at {folder}; set CROSSFOOT_TEST_DATA to run this test")
    return folder
