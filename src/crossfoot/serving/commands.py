"""The command that serves a model with its adapter, for the OpenAI-compatible servers we know.

vLLM (https://docs.vllm.ai/en/latest/features/lora.html) serves base and LoRA adapter side by side,
each under its own name. ``transformers serve`` knows no adapters and runs on any machine: it gets a
merged model's folder, whose path is its name.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossfoot.chat.calls import CallSyntax
from crossfoot.chat.template import Chat
from crossfoot.errors import ModelError, RecipeError
from crossfoot.models.export import Tuned, cached_merged
from crossfoot.models.loading import adapter_config, load_tokenizer, resolve

# The only values that vLLM's --max-lora-rank takes (vllm/config/lora.py); its default is 16.
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
VLLM_PARSERS: dict[CallSyntax, str] = {"hermes": "hermes", "qwen_xml": "qwen3_xml"}
TEMPLATE = "chat_template.jinja"


@dataclass(frozen=True, slots=True)
class Model:
    """What is to be served; ``merge`` makes the folder of base and adapter in one."""

    name: str
    adapter: Path | None
    chat: Chat
    merge: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Serving:
    """A server's command line, and the name under which it knows the model."""

    command: list[str]
    served_name: str
    tools_in_text: bool


@dataclass(frozen=True, slots=True)
class Server:
    """A program, what must be importable beside it, and how it is told what to serve."""

    program: str
    needs: tuple[str, ...]
    pip: str
    options: Callable[[Model], tuple[list[str], str]]

    def installed(self) -> bool:
        """Whether the program is on the path, or beside this Python, with all it needs."""
        return self.path() is not None and all(map(importlib.util.find_spec, self.needs))

    def path(self) -> str | None:
        """The program."""
        return shutil.which(self.program, path=str(Path(sys.executable).parent)) or shutil.which(
            self.program
        )


def serving(
    model: str,
    adapter: Path | None,
    *,
    server: str | None = None,
    host: str = "localhost",
    port: int = 8000,
    write: bool = True,
) -> Serving:
    """The command for ``server``, or for the first that is installed.

    Where a model has to be merged it is, unless ``write`` is off: then only its place is named.
    """
    chosen = _choose(server, must_run=write)
    chat = Chat(load_tokenizer(model))
    tuned = Tuned(Path(model).name, model, adapter)
    options, name = chosen.options(
        Model(model, adapter, chat, lambda: str(cached_merged(tuned, write=write)))
    )
    command = [chosen.path() or chosen.program, "serve", *options]
    command += ["--host", host, "--port", str(port)]
    return Serving(command, name, not chat.knows_tools)


def _choose(name: str | None, *, must_run: bool) -> Server:
    if name is not None and name not in SERVERS:
        raise RecipeError(f"unknown server {name!r}", advice=f"known are {', '.join(SERVERS)}")
    if name is not None and not must_run:
        return SERVERS[name]
    for known, server in SERVERS.items():
        if name in (None, known) and server.installed():
            return server
    wanted = [SERVERS[name]] if name else list(SERVERS.values())
    raise ModelError(
        f"{name or 'no server that we know'} is not installed",
        advice=" or ".join(server.pip for server in wanted),
    )


def _vllm(model: Model) -> tuple[list[str], str]:
    rank = _plain_lora_rank(model.adapter) if model.adapter else None
    if model.adapter is not None and rank is None:
        base, name = model.merge(), _name(model.adapter)
    else:
        base, name = resolve(model.name), Path(model.name).name
    options = [base, "--served-model-name", name, "--dtype", "bfloat16"]
    # A model's own generation config may ask for a repetition penalty, which is not greedy.
    options += ["--generation-config", "vllm"]
    if model.adapter is not None and rank is not None:
        name = _name(model.adapter)
        options += ["--enable-lora", "--max-lora-rank", str(_allowed(rank, model.adapter))]
        options += ["--lora-modules", f"{name}={model.adapter.resolve()}"]
    if model.chat.knows_tools:
        options += ["--enable-auto-tool-choice", "--tool-call-parser"]
        options += [VLLM_PARSERS[model.chat.syntax]]
    for folder in (model.adapter, Path(base)):
        if folder is not None and (folder / TEMPLATE).is_file():
            return [*options, "--chat-template", str((folder / TEMPLATE).resolve())], name
    return options, name


def _transformers(model: Model) -> tuple[list[str], str]:
    base = model.merge() if model.adapter else resolve(model.name)
    return [base], base


SERVERS: dict[str, Server] = {
    "vllm": Server("vllm", (), "pip install vllm", _vllm),
    "transformers": Server(
        "transformers",
        ("fastapi", "uvicorn", "openai"),
        "pip install 'crossfoot[serve]'",
        _transformers,
    ),
}


def _name(adapter: Path) -> str:
    """What an adapter is served as: its folder's name, or its run's."""
    folder = adapter.resolve()
    return folder.parent.name if folder.name == "final_model" else folder.name


def _plain_lora_rank(adapter: Path) -> int | None:
    """The largest rank of a LoRA adapter; None where vLLM would need it merged."""
    config = adapter_config(adapter)
    plain = config.get("peft_type") == "LORA" and not config.get("use_dora")
    if not plain or config.get("modules_to_save"):
        return None
    try:
        return max([int(config["r"]), *map(int, config.get("rank_pattern", {}).values())])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            "no rank that can be read", file=adapter / "adapter_config.json"
        ) from error


def _allowed(rank: int, adapter: Path) -> int:
    for allowed in VLLM_RANKS:
        if rank <= allowed:
            return allowed
    raise ModelError(
        f"rank {rank} is above the {VLLM_RANKS[-1]} that vLLM takes",
        file=adapter,
        advice="serve it with --server transformers, which merges it",
    )
