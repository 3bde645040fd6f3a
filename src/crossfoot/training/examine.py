"""What this machine is, how fast it multiplies, and which extras work, by running them."""

from __future__ import annotations

import io
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import psutil
import torch

from crossfoot.errors import first_line
from crossfoot.models.embedded import cache_folder
from crossfoot.models.loading import DTYPES
from crossfoot.reports.trackers import TRACKERS
from crossfoot.runs.folder import PACKAGES
from crossfoot.serving.commands import SERVERS
from crossfoot.tasks.registry import data_folder
from crossfoot.training.speed import matmul_rate

HUB_SECONDS = 3.0
TRACK_SECONDS = SERVE_SECONDS = 120.0


def hardware() -> dict[str, Any]:
    """Processor, memory, disk, GPUs and versions; ``told`` is the same for people."""
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(Path.cwd())
    cuda = torch.cuda.is_available()
    gpus = [_gpu(index) for index in range(torch.cuda.device_count())] if cuda else []
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    told = {
        "processor": f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "memory": f"{_gb(memory.total)}, {_gb(memory.available)} free",
        "disk here": f"{_gb(disk.total)}, {_gb(disk.free)} free",
        "GPU": "; ".join(gpu["told"] for gpu in gpus) or "none",
        "Python": platform.python_version(),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return {
        "device": "cuda" if cuda else "cpu",
        "free_bytes": gpus[0]["free_bytes"] if gpus else memory.available,
        "memory_bytes": memory.total,
        "disk_free_bytes": disk.free,
        "gpus": gpus,
        "versions": versions,
        "told": told,
    }


def _gpu(index: int) -> dict[str, Any]:
    free, total = torch.cuda.mem_get_info(index)
    name = torch.cuda.get_device_name(index)
    with torch.cuda.device(index):
        half = torch.cuda.is_bf16_supported(including_emulation=False)
    told = f"{name}, {_gb(total)}, {_gb(free)} free, {'bfloat16' if half else 'no bfloat16'}"
    return {"name": name, "total_bytes": total, "free_bytes": free, "bfloat16": half, "told": told}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    half = [flag for flag in ("avx512_bf16", "amx_bf16", "avx512_fp16") if flag in flags]
    return ", ".join([names[0] if names else platform.machine(), *half])


def rates() -> dict[str, float]:
    """GFLOP/s of matrix products in each dtype, on an idle machine (speed.py)."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {name: matmul_rate(device, name) / 1e9 for name in DTYPES}


def extras() -> dict[str, str]:
    """For each extra of the package ``works``, or what went wrong when it was run."""
    said = {}
    for name, check in EXTRAS.items():
        try:
            check()
            said[name] = "works"
        except ImportError as error:
            said[name] = f"not installed ({error.name or error}): pip install 'crossfoot[{name}]'"
        except Exception as error:  # a broken library may raise anything
            said[name] = f"fails: {first_line(error)}"
    return said


def caches() -> dict[str, str]:
    """Where models and data lie."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return {
        "models of ours": str(cache_folder()),
        "models of the hub": HF_HUB_CACHE,
        "data": str(data_folder()),
    }


def hub() -> str:
    """Whether models can be fetched."""
    import httpx
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return "not asked: HF_HUB_OFFLINE is set"
    try:
        httpx.head(ENDPOINT, timeout=HUB_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:  # or of a proxy
        return f"{ENDPOINT} cannot be reached: {first_line(error)}"
    return f"{ENDPOINT} answers"


def _train() -> None:
    """A step of LoRA on a model of random weights."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 32, "hidden_size": 16, "intermediate_size": 32}
    heads = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    model: Any = get_peft_model(LlamaForCausalLM(LlamaConfig(**sizes, **heads)), LoraConfig(r=2))
    ids = torch.tensor([[1, 2, 3]])
    model(input_ids=ids, labels=ids).loss.backward()


def _constrain() -> None:
    import llguidance

    tokenizer = llguidance.LLTokenizer("byte")
    grammar = llguidance.grammar_from("lark", 'start: "yes" | "no"')
    matcher = llguidance.LLMatcher(tokenizer, grammar)
    if matcher.is_error() or not matcher.consume_tokens(list(b"yes")):
        raise RuntimeError(matcher.get_error() or "a grammar refuses its own text")


def _quant() -> None:
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    device = "cuda" if torch.cuda.is_available() else "cpu"
    weight = torch.linspace(-1, 1, 4096, device=device).reshape(64, 64)
    packed, state = quantize_4bit(weight, quant_type="nf4")
    if float((dequantize_4bit(packed, state) - weight).abs().max()) > 0.2:
        raise RuntimeError("4-bit weights do not come back as they were")


def _openvino() -> None:
    import numpy as np
    import openvino
    import openvino_genai
    from openvino import opset13 as operations

    one = operations.parameter([2], np.float32)
    model = openvino.compile_model(openvino.Model([operations.add(one, one)], [one]), "CPU")
    if list(model([np.ones(2, np.float32)])[0]) != [2, 2]:
        raise RuntimeError("1 + 1 is not 2")
    openvino_genai.GenerationConfig(max_new_tokens=1).validate()


def _llamacpp() -> None:
    import xllamacpp

    if "yes" not in xllamacpp.json_schema_to_grammar({"const": "yes"}):
        raise RuntimeError("a grammar does not hold its own text")


def _serve() -> None:
    """The server of transformers, which starts without a model."""
    for name in SERVERS["transformers"].needs:
        import_module(name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(SERVERS["transformers"].path()), "serve", "--host", "127.0.0.1"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([*command, "--port", str(port)], stdout=quiet, stderr=quiet)
    try:
        _wait_for(server, f"http://127.0.0.1:{port}/health")
    finally:
        server.kill()
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    import httpx

    end = time.monotonic() + SERVE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(httpx.HTTPError), httpx.Client(trust_env=False) as client:
            if client.get(address).is_success:
                return
        time.sleep(0.2)
    raise RuntimeError(f"no answer of {address} (exit code {server.poll()})")


def _ray() -> None:
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=40
    )
    try:
        if ray.get(ray.remote(lambda: 1 + 1).remote()) != 2:
            raise RuntimeError("a worker does not answer")
    finally:
        ray.shutdown()


_REPORT = """
import sys
from pathlib import Path
from crossfoot.reports.trackers import TRACKERS, report_evaluation
from crossfoot.runs.folder import RunFolder
from crossfoot.training.sections import Tracking
run = RunFolder(Path(sys.argv[1]))
report_evaluation(Tracking(report_to=list(TRACKERS)), run, {"one": 1.0}, [1.0])
"""


def _track() -> None:
    """An evaluation reported to all, by a process of its own: they keep folders of their own."""
    for name in TRACKERS:
        import_module(name)  # an ImportError names what is missing
    with tempfile.TemporaryDirectory() as folder:
        own = {"TRACKIO_DIR": f"{folder}/trackio", "WANDB_MODE": "offline", "WANDB_DIR": folder}
        done = subprocess.run(
            [sys.executable, "-c", _REPORT, folder],
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=TRACK_SECONDS,
        )
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "no word of why").splitlines()[-1])


def _figures() -> None:
    import jinja2
    from matplotlib.figure import Figure

    if jinja2.Template("{{ 1 + 1 }}").render() != "2":
        raise RuntimeError("a template is not rendered")
    Figure().savefig(io.BytesIO(), format="png")


EXTRAS: dict[str, Callable[[], None]] = {
    "train": _train,
    "constrain": _constrain,
    "quant": _quant,
    "openvino": _openvino,
    "llamacpp": _llamacpp,
    "serve": _serve,
    "ray": _ray,
    "track": _track,
    "figures": _figures,
}


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
