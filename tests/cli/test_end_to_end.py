"""The real command line with the embedded model and the shipped adapter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from crossfoot.errors import ModelError
from crossfoot.models.embedded import (
    GGUF_SHA256,
    WHEEL_SHA256,
    embedded_model,
    shipped_adapter,
)
from crossfoot.models.weights import file_hashes

MAX_ADAPTER_BYTES = 25_000_000
EXAMPLE = str(files("crossfoot") / "examples" / "apd.md")


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The embedded model, which ``make install`` fetched."""
    try:
        return embedded_model()
    except ModelError as error:
        pytest.skip(str(error))


def crossfoot(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line; its own threads, not the one that tests of tiny models get."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", "from crossfoot.cli.main import run; run()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


def test_the_shipped_adapter_is_small_and_names_its_base():
    folder = shipped_adapter()
    assert (folder / "adapter_model.safetensors").stat().st_size < MAX_ADAPTER_BYTES
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "smollm2-135m"
    assert "/work" not in (folder / "README.md").read_text("utf-8")


def test_the_card_has_the_hashes_of_the_base_and_of_the_adapter(embedded):
    card = (shipped_adapter() / "README.md").read_text("utf-8")
    files = file_hashes(embedded) | file_hashes(shipped_adapter())
    assert set(files) == {"model.safetensors", "adapter_model.safetensors"}
    for name, digest in files.items():
        assert f"`{name}`: sha256 `{digest}`" in card
    assert WHEEL_SHA256 in card
    assert GGUF_SHA256 in card


def test_a_real_page_is_answered_with_its_working(embedded):
    questions = ("what was the total debt in 2016?", "and what was it in 2015?")
    result = crossfoot("ask", EXAMPLE, *questions, "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert [turn["question"] for turn in document["turns"]] == list(questions)
    for turn in document["turns"]:
        assert turn["answer"] is not None
        assert turn["grounds"]
        assert all(ground["places"] for ground in turn["grounds"])


def test_the_adapter_answers_synthetic_pages_that_its_base_does_not(embedded):
    result = crossfoot("demo", "--conversations", "4", "--json")
    assert result.returncode == 0, result.stderr
    scores = json.loads(result.stdout)
    base, tuned = (scores[name]["all turns"] for name in ("base", "tuned"))
    assert base["total"] == tuned["total"] >= 8
    assert tuned["correct"] > base["correct"]


def test_an_adapter_for_another_base_model_ends_in_one_line(embedded, tmp_path):
    import tiny

    tiny.llama().save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    result = crossfoot(
        "ask", EXAMPLE, "why?", "--model", str(tmp_path / "model"), "--adapter",
        str(shipped_adapter()),
    )  # fmt: skip
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert "was trained for smollm2-135m" in line
