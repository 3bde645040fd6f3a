"""Models by name, safely; a multimodal checkpoint that chats with text only, whole."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen3_5ForConditionalGeneration

import families
import tiny
import workshop
from crossfoot.chat.messages import user
from crossfoot.chat.template import Chat
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.pagecache import can_keep
from crossfoot.errors import ModelError
from crossfoot.models import loading
from crossfoot.models.adapters import add_adapter
from crossfoot.models.loading import identity, load_model, load_tokenizer, resolve
from crossfoot.targets.rows import build_rows
from crossfoot.training.sft import tree_loss
from crossfoot.training.tree import grow


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return workshop.write_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """A random multimodal Qwen3.5 with linear and full attention, saved with its vision part."""
    folder = tmp_path_factory.mktemp("qwen3_5")
    torch.manual_seed(0)
    Qwen3_5ForConditionalGeneration(families.multimodal()).save_pretrained(folder)
    tiny.tokenizer("qwen3_5_nothink").save_pretrained(folder)
    return folder


def refused(call, *arguments, **options):
    with pytest.raises(ModelError) as error:
        call(*arguments, **options)
    line = str(error.value)
    assert "\n" not in line
    assert len(line) < 400
    return line


def test_a_folder_and_a_hub_id_resolve_to_themselves(llama):
    assert resolve(str(llama)) == str(llama)
    assert resolve("Qwen/Qwen2.5-0.5B-Instruct") == "Qwen/Qwen2.5-0.5B-Instruct"


def test_what_is_no_model_is_refused_with_what_could_be_given(tmp_path):
    for name in ("qwen", str(tmp_path / "nothing"), "./a/b", "a/b/c", "~/nothing/here"):
        line = refused(resolve, name)
        assert f"no such model: {name}" in line
        assert "give smollm2-135m, a folder with config.json, or a Hugging Face id" in line


def test_an_adapter_in_place_of_a_model_gets_advice(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "an adapter goes with --adapter" in refused(resolve, str(tmp_path))


def test_a_hub_id_that_cannot_be_reached_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "cannot load the tokenizer of nobody/nothing" in refused(
        load_tokenizer, "nobody/nothing"
    )
    assert "cannot load nobody/nothing" in refused(load_model, "nobody/nothing")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_is_loaded_in_its_dtype_to_be_run(llama, dtype):
    model = load_model(str(llama), dtype=dtype)
    assert model.dtype == getattr(torch, dtype)
    assert not model.training
    assert model.name_or_path == str(llama)


def test_pickled_weights_are_not_read(llama, tmp_path):
    workshop.write_model(tmp_path)
    torch.save(load_file(tmp_path / "model.safetensors"), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    assert "model.safetensors" in refused(load_model, str(tmp_path))


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path):
    workshop.write_model(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    line = refused(load_model, str(tmp_path))
    assert "1 weights of" in line
    assert "model.layers.1.mlp.up_proj.weight" in line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"\xff" * 100),
        ("model.safetensors", b""),
        ("config.json", b"{"),
        ("config.json", b'{"model_type": "unheard-of"}'),
        ("config.json", b"{}"),
    ],
)
def test_a_broken_model_is_refused(tmp_path, name, content):
    workshop.write_model(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert f"cannot load {tmp_path}" in refused(load_model, str(tmp_path))


@pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed"
)
def test_four_bit_weights_without_bitsandbytes_say_what_to_install(llama):
    line = refused(load_model, str(llama), four_bit=True)
    assert "needs a package that is missing" in line
    assert "pip install 'crossfoot[quant]'" in line


def test_a_model_that_no_gpu_holds_is_one_line(llama, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", full)
    assert "cannot load" in refused(load_model, str(llama))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")  # which moves to each GPU its part
    assert load_model(str(llama)).device.type == "cpu"


def test_the_identity_of_a_local_model_is_the_hash_of_its_weights(llama):
    found = identity(str(llama), None)
    assert found["name"] == str(llama)
    assert [*found["sha256"]] == ["model.safetensors"]
    assert len(found["sha256"]["model.safetensors"]) == 64


def test_a_multimodal_model_loads_with_all_its_weights(qwen):
    model = load_model(str(qwen), dtype="float32")
    assert isinstance(model, Qwen3_5ForConditionalGeneration)
    stored = load_file(qwen / "model.safetensors")
    loaded = model.state_dict()
    assert any("visual" in name for name in loaded)
    assert len(stored) == len(loaded)
    held = {tensor.sum().item() for tensor in loaded.values()}
    assert {tensor.sum().item() for tensor in stored.values()} <= held


def test_a_model_with_recurrent_layers_generates_without_kept_pages(qwen):
    model = load_model(str(qwen), dtype="float32")
    chat = Chat(load_tokenizer(str(qwen)))
    engine = TransformersEngine(model, chat)
    assert not can_keep(model)
    assert not engine.reuse
    batch = [[user("what?")], [user("what was the revenue in 2016, and what in 2015?")]]
    together = engine.generate(batch, 4)
    alone = [engine.generate([messages], 4)[0] for messages in batch]
    assert [reply.text for reply in together] == [reply.text for reply in alone]
    assert [reply.completion_tokens for reply in together] == [4, 4]


def test_lora_trains_the_text_part_of_a_multimodal_model(qwen):
    base = load_model(str(qwen), dtype="float32")
    model = add_adapter(
        base,
        method="lora",
        rank=4,
        alpha=8,
        dropout=0.0,
        targets="all-linear",
        start_from=None,
    ).train()
    rows = build_rows([tiny.sample()], Chat(load_tokenizer(str(qwen))), "short")
    shapes = []
    base.lm_head.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape)))
    tree = grow(rows[:1])
    count = len(rows[0].completion_ids)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert not any("visual" in name for name in trained)
    assert any("linear_attn" in name for name in trained)
    optimizer = torch.optim.SGD(trained.values(), lr=1.0)
    losses = []
    for _ in range(2):
        loss = tree_loss(model, [tree], "rows")
        (loss / count).backward()
        if not losses:
            first = {name: p.grad for name, p in trained.items() if "lora_B" in name}
            assert all(gradient.norm() > 0 for gradient in first.values())
        optimizer.step()
        losses.append(loss.item())
    assert shapes == [(1, count, 640)] * 2
    assert losses[1] < losses[0]


def test_a_cpu_answers_in_float32_and_with_large_models_in_16_bits(tmp_path, monkeypatch):
    model = str(tiny.save_model(tmp_path / "model"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert loading.inference_dtype(model) == "float32"
    monkeypatch.setattr(loading, "SMALL", 1000)
    assert loading.inference_dtype(model) == "bfloat16"


@pytest.mark.parametrize(("natively", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_a_gpu_answers_in_the_16_bits_that_it_has(monkeypatch, natively, dtype):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: natively)
    assert loading.inference_dtype("a model that need not be looked at") == dtype
