"""Exports of runs through the command line, as other programs load them."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

import families
import tiny
import workshop
from crossfoot.cli import main
from crossfoot.cli.main import app
from crossfoot.errors import ModelError
from crossfoot.models.adapters import save_trained
from crossfoot.models.export import cached_gguf, cached_merged, find_tuned
from crossfoot.models.gguf import LOGIT_BOUNDS
from crossfoot.models.loading import load_adapter, load_model

IDS = torch.randint(600, (1, 30), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with an adapter that changes its base."""
    base = workshop.write_model(tmp_path / "base")
    model = load_model(str(base), dtype="float32")
    torch.manual_seed(1)
    adapted = get_peft_model(model, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    save_trained(adapted, tiny.tokenizer(), tmp_path / "run" / "final_model")
    return tmp_path / "run"


def _merged(run: Path) -> torch.Tensor:
    base = load_model(str(run.parent / "base"))
    merged = load_adapter(base, run / "final_model").merge_and_unload().float()
    plain = AutoModelForCausalLM.from_config(merged.config).float().eval()
    plain.load_state_dict(merged.state_dict())
    return _logits(plain)


def _logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return torch.as_tensor(model.eval()(IDS).logits)


def _export(*arguments: str | Path) -> None:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0


def test_a_merged_export_is_one_file_that_transformers_loads(run: Path, tmp_path: Path) -> None:
    _export(run, "merged", "--output", tmp_path / "merged")
    assert [path.name for path in (tmp_path / "merged").glob("*.safetensors*")] == [
        "model.safetensors"
    ]
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert torch.equal(_logits(model), _merged(run))
    assert tokenizer.chat_template == tiny.tokenizer().chat_template
    assert model.generation_config.eos_token_id == [tokenizer.eos_token_id]


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_a_gguf_export_has_the_merged_models_logits(run: Path, tmp_path: Path, kind: str) -> None:
    _export(run, "gguf", "--type", kind, "--output", tmp_path / "out" / "m.gguf")
    model = AutoModelForCausalLM.from_pretrained(
        tmp_path / "out", gguf_file="m.gguf", dtype=torch.float32
    )
    expected = _merged(run)
    bound = LOGIT_BOUNDS[kind] * expected.abs().max()  # type: ignore[index]
    assert (_logits(model) - expected).abs().max() < bound
    assert (_logits(model) - _logits(load_model(str(run.parent / "base")).float())).abs().max() > (
        bound
    )


def test_the_recipe_names_the_base_where_the_adapter_does_not(run: Path, tmp_path: Path) -> None:
    config = run / "final_model" / "adapter_config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": None})
    )
    with pytest.raises(ModelError, match="does not name its base model"):
        _export(run, "gguf", "--output", tmp_path / "m.gguf")
    (run / "recipe.yaml").write_text(f"model: {tmp_path / 'base'}\n")
    _export(run, "gguf", "--output", tmp_path / "m.gguf")


def test_a_run_that_trained_all_weights_exports(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / "final_model")
    shutil.copytree(tmp_path / "base", run / "final_model")
    _export(run, "gguf", "--output", tmp_path / "m.gguf")
    _export(run, "merged", "--output", tmp_path / "merged")
    assert (tmp_path / "m.gguf").read_bytes()[:4] == b"GGUF"
    assert (tmp_path / "merged" / "model.safetensors").is_file()


def test_an_unsupported_architecture_is_one_clear_line(tmp_path: Path) -> None:
    families.build("qwen3_5").save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="no GGUF for the architecture qwen3_5_text; known are"):
        _export(tmp_path / "model", "gguf", "--output", tmp_path / "m.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """Every write past ``size`` bytes of a file fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("form", ["merged", "gguf"])
def test_a_full_disk_is_one_line_and_leaves_nothing_behind(
    run: Path,
    tmp_path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "out" / "export"
    monkeypatch.setattr(
        "sys.argv", ["crossfoot", "export", str(run), form, "--output", str(target)]
    )
    with _files_up_to(40_000), pytest.raises(SystemExit) as stopped:
        main.run()
    captured = capsys.readouterr()
    assert (stopped.value.code, captured.out) == (2, "")
    (line,) = captured.err.strip().splitlines()
    assert line.startswith(f"crossfoot: {target}: cannot write this export: ")
    assert line.endswith("is there room on this disk, and may you write there?")
    assert not list((tmp_path / "out").iterdir())


def test_a_full_disk_leaves_no_half_file_in_the_cache(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    tuned = find_tuned(str(run))
    with _files_up_to(40_000), pytest.raises(ModelError, match="cannot write this export"):
        cached_gguf(tuned, "f16")
    path = cached_gguf(tuned, "f16")
    written = path.stat().st_mtime_ns
    assert cached_gguf(tuned, "f16") == path
    assert path.stat().st_mtime_ns == written
    assert list(path.parent.iterdir()) == [path]


def test_an_adapter_applied_otherwise_is_another_file_in_the_cache(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    before = cached_merged(find_tuned(str(run)), write=False)
    config = run / "final_model" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"lora_alpha": 99}))
    assert cached_merged(find_tuned(str(run)), write=False) != before
    assert not before.exists()


def test_what_is_there_already_is_not_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ModelError, match="is there already"):
        _export(run, "merged", "--output", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_folder_without_a_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a run nor an adapter nor a model"):
        _export(tmp_path, "merged")
