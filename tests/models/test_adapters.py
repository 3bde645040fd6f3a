"""Adapters: made, saved whole, and refused where they do not fit."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

import tiny
from crossfoot.errors import CrossfootError, ModelError
from crossfoot.models.adapters import adapter_folder, add_adapter, save_trained
from crossfoot.models.loading import WEIGHTS, load_adapter
from crossfoot.models.prompts import check_writes_calls, prompt_of, target_of

OPTIONS = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear", "start_from": None}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """An adapter of random weights, saved."""
    base = tiny.llama()
    base.name_or_path = "tiny-llama"
    model = add_adapter(base, method="lora", **OPTIONS)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    folder = tmp_path_factory.mktemp("run") / "final_model"
    save_trained(model, tiny.tokenizer(), folder)
    return model, folder


def other(**changes):
    config = LlamaConfig(**{**tiny.llama().config.to_dict(), **changes})
    model = LlamaForCausalLM(config).eval()
    model.name_or_path = "another"
    return model


def test_only_the_adapter_is_trained():
    model = add_adapter(tiny.llama(), method="lora", **OPTIONS)
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert len(trained) == 28
    assert all("lora_" in name for name in trained)


def test_all_weights_are_trained_without_an_adapter():
    model = add_adapter(tiny.llama(), method="none", **OPTIONS)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_saved_adapter_is_small_and_names_its_base(saved):
    _, folder = saved
    assert {tensor.dtype for tensor in load_file(folder / WEIGHTS).values()} == {torch.bfloat16}
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny-llama"
    assert not (folder / "README.md").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["final_model"]


def test_a_loaded_adapter_computes_what_the_saved_one_did(saved):
    model, folder = saved
    loaded = load_adapter(tiny.llama(), folder)
    ids = torch.tensor([[5, 6, 7]])
    assert torch.allclose(loaded(ids).logits, model.eval()(ids).logits, atol=0.05)
    assert not any(p.requires_grad for p in loaded.parameters())


def test_a_run_folder_stands_for_its_final_model(saved):
    _, folder = saved
    assert adapter_folder(folder.parent) == folder
    assert adapter_folder(folder) == folder


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 64},
        {"intermediate_size": 96},
        {"num_hidden_layers": 1},
        {"num_key_value_heads": 4},
    ],
)
def test_an_adapter_for_another_base_is_refused_in_one_line(saved, changes):
    _, folder = saved
    with pytest.raises(ModelError) as error:
        load_adapter(other(**changes), folder)
    line = str(error.value)
    assert "\n" not in line
    assert str(folder) in line
    assert "trained for tiny-llama, not for another" in line
    assert "load it with --model tiny-llama" in line


def test_an_adapter_for_fewer_layers_is_refused(tmp_path):
    model = add_adapter(tiny.llama(), method="lora", **OPTIONS | {"targets": ["q_proj"]})
    save_trained(model, tiny.tokenizer(), tmp_path / "adapter")
    with pytest.raises(ModelError, match="has weights for 2 of 3 modules of another"):
        load_adapter(other(num_hidden_layers=3), tmp_path / "adapter")


@pytest.mark.parametrize("missing", ["adapter_config.json", WEIGHTS])
def test_a_folder_without_one_of_its_files_is_no_adapter(saved, tmp_path, missing):
    folder = shutil.copytree(saved[1], tmp_path / "adapter")
    (folder / missing).unlink()
    with pytest.raises(ModelError, match="no adapter here"):
        load_adapter(tiny.llama(), folder)


def test_pickled_adapter_weights_are_not_read(saved, tmp_path):
    folder = shutil.copytree(saved[1], tmp_path / "adapter")
    torch.save(load_file(folder / WEIGHTS), folder / "adapter_model.bin")
    (folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"no adapter here .*adapter_model\.safetensors"):
        load_adapter(tiny.llama(), folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("adapter_config.json", b"{", "not readable as JSON"),
        ("adapter_config.json", b"[]", "not an adapter's configuration"),
        ("adapter_config.json", b"\xff\xfe", "not readable as JSON"),
        ("adapter_config.json", b"{}", "cannot load this adapter"),
        ("adapter_config.json", b'{"peft_type": "NONE"}', "cannot load this adapter"),
        (WEIGHTS, b"", "not a readable safetensors file"),
        (WEIGHTS, b"\xff" * 100, "not a readable safetensors file"),
    ],
)
def test_a_broken_file_of_an_adapter_is_named(saved, tmp_path, name, content, said):
    folder = shutil.copytree(saved[1], tmp_path / "adapter")
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        load_adapter(tiny.llama(), folder)


def test_weights_that_are_no_lora_are_refused(saved, tmp_path):
    folder = shutil.copytree(saved[1], tmp_path / "adapter")
    save_file({"model.norm.weight": torch.ones(32)}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="no LoRA weights in this adapter"):
        load_adapter(tiny.llama(), folder)


def test_saving_again_replaces_the_whole_folder(saved, tmp_path):
    model, _ = saved
    folder = tmp_path / "final_model"
    folder.mkdir()
    (folder / "stale").write_text("old")
    save_trained(model, tiny.tokenizer(), folder)
    assert not (folder / "stale").exists()
    assert (folder / WEIGHTS).is_file()


def test_the_prompt_of_the_training_goes_with_the_weights(tmp_path):
    model = add_adapter(tiny.llama(), method="lora", **OPTIONS)
    model.get_base_model().name_or_path = "tiny-llama"
    folder = tmp_path / "final_model"
    save_trained(model, tiny.tokenizer(), folder, "grounded")
    assert prompt_of(None, folder) == "grounded"
    assert prompt_of(None, None, tmp_path, folder) == "grounded"
    assert prompt_of("long", folder) == "long"
    assert prompt_of(None, None) == prompt_of(None, tmp_path) == "short"
    check_writes_calls(folder)
    save_trained(model, tiny.tokenizer(), folder, "short", "program")
    assert (prompt_of(None, folder), target_of(None, folder)) == ("short", "program")
    with pytest.raises(ModelError, match="trained to write one program, not calls"):
        check_writes_calls(None, folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"prompt": 1}', '{"prompt": "medium"}', "\udcff"]
)
def test_a_prompt_that_cannot_be_read_is_refused(tmp_path, text):
    (tmp_path / "crossfoot.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CrossfootError):
        prompt_of(None, tmp_path)
