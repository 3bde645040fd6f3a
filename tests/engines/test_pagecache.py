"""Kept prompts: their layout in a batch, and what transformers' caches must go on being."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

import tiny
from crossfoot.engines.pagecache import (
    Kept,
    build_batch,
    can_keep,
    common_prefix,
    empty_cache,
    keep,
)

IDS = st.lists(st.integers(0, 3), max_size=8)


def kept(*ids):
    """Keys are the ids themselves, values their negatives, in two layers of one head."""
    keys = torch.tensor(ids, dtype=torch.float32).reshape(1, len(ids), 1)
    return Kept(tuple(ids), [(keys, -keys), (keys + 100, -keys)])


@given(IDS, IDS)
def test_a_common_prefix_is_common_and_ends_where_the_two_part(left, right):
    length = common_prefix(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


@given(
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=8), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=8), max_size=3),
)
def test_every_row_of_a_batch_reads_as_its_prompt_and_its_cache_as_the_prompts_start(
    prompts, known
):
    batch = build_batch(prompts, [kept(*ids) for ids in known], pad_id=0)
    cached = batch.cache.get_seq_length() if batch.cache is not None else 0
    for row, prompt in enumerate(prompts):
        own = batch.attention_mask[row].bool()
        assert batch.input_ids[row][own].tolist() == prompt
        assert batch.attention_mask[row, -1] == 1
        assert batch.input_ids[row][~own].tolist() == [0] * int((~own).sum())
        if batch.cache is None:
            continue
        for layer, offset in ((0, 0), (1, 100)):
            keys = batch.cache.layers[layer].keys[row, 0, :, 0][own[:cached]]
            reused = int(own[:cached].sum())
            assert (keys - offset).tolist() == prompt[:reused]
            assert reused == max(min(common_prefix(k, prompt), len(prompt) - 1) for k in known)


def test_a_row_taken_out_of_a_batch_and_put_back_is_the_same():
    batch = build_batch([[1, 2, 3, 1], [1, 2, 2]], [kept(1, 2, 3)], pad_id=0)
    mask = batch.attention_mask[1][:3]
    again = keep(batch.cache, 1, mask, [1, 2])
    assert again.ids == (1, 2)
    assert again.layers[0][0].flatten().tolist() == [1, 2]


def test_a_prompt_is_kept_where_the_model_is():
    """Fake tensors of two devices, as no GPU need be there; masks are made on the CPU."""
    with FakeTensorMode(shape_env=ShapeEnv()):
        states = [torch.zeros(2, 1, 5, 8, device="meta") for _ in range(2)]
        cache = empty_cache()
        cache.update(*states, 0)
        one = keep(cache, 1, torch.ones(5, dtype=torch.long), (1, 2, 3, 4, 5))
        assert [state.device.type for state in one.layers[0]] == ["meta"] * 2


def test_a_plain_transformer_can_be_kept():
    assert can_keep(tiny.llama())


# What pagecache.py takes from transformers. When one of these fails, transformers has changed its
# caches: read its release notes, mend engines/pagecache.py, then this test.


def test_transformers_caches_are_still_a_list_of_plain_layers():
    cache = DynamicCache()
    keys = torch.arange(6.0).reshape(1, 1, 3, 2)
    cache.update(keys, -keys, 0)
    cache.update(keys + 1, -keys, 1)
    assert [type(layer) for layer in cache.layers] == [DynamicLayer, DynamicLayer]
    assert torch.equal(cache.layers[1].keys, keys + 1)
    assert torch.equal(cache.layers[0].values, -keys)
    assert cache.get_seq_length() == 3
    cache.update(keys, keys, 0)
    assert cache.layers[0].keys.shape == (1, 1, 6, 2)


def test_transformers_still_names_the_arguments_that_pagecache_uses():
    assert "config" in inspect.signature(DynamicCache.__init__).parameters
    parameters = list(inspect.signature(DynamicCache.update).parameters)
    assert parameters[:4] == ["self", "key_states", "value_states", "layer_idx"]


def test_generate_still_continues_a_cache_and_hands_it_back():
    model = tiny.llama()
    prompt = torch.tensor([[5, 6, 7, 8]])
    options = {"do_sample": False, "return_dict_in_generate": True, "pad_token_id": 0}
    whole = model.generate(prompt, max_new_tokens=4, **options)
    assert type(whole.past_key_values) is DynamicCache
    assert whole.past_key_values.get_seq_length() == prompt.shape[1] + 3
    row = keep(whole.past_key_values, 0, torch.tensor([1, 1, 1, 0, 0, 0, 0]), [5, 6, 7])
    batch = build_batch(prompt.tolist(), [row], pad_id=0)
    again = model.generate(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        past_key_values=batch.cache,
        max_new_tokens=4,
        **options,
    )
    assert again.sequences.tolist() == whole.sequences.tolist()


def test_generate_still_keeps_cached_tokens_from_being_encoded_again():
    model = tiny.llama()
    widths = []
    model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: widths.append(inputs[0].shape[1])
    )
    with torch.inference_mode():
        encoded = model(torch.tensor([[5, 6, 7]]), use_cache=True).past_key_values
    row = keep(encoded, 0, torch.ones(3), [5, 6, 7])
    batch = build_batch([[5, 6, 7, 8, 9]], [row], pad_id=0)
    model.generate(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        past_key_values=batch.cache,
        max_new_tokens=2,
        do_sample=False,
        pad_token_id=0,
    )
    assert widths[:2] == [3, 2]


@pytest.mark.parametrize("padding", [1, 4])
def test_padding_between_the_cached_and_the_new_part_changes_no_logit(padding):
    model = tiny.llama()
    prompt = [5, 6, 7, 8, 9, 10]
    with torch.inference_mode():
        plain = model(torch.tensor([prompt])).logits[0, -1]
        encoded = model(torch.tensor([prompt[:4]]), use_cache=True).past_key_values
        row = keep(encoded, 0, torch.ones(4), prompt[:4])
        batch = build_batch([prompt, [20] * (padding + 2)], [row], pad_id=0)
        output = model.generate(
            batch.input_ids,
            attention_mask=batch.attention_mask,
            past_key_values=batch.cache,
            max_new_tokens=1,
            do_sample=False,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
    torch.testing.assert_close(output.logits[0][0], plain, atol=1e-5, rtol=1e-5)
