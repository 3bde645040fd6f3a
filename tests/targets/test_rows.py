"""Targets: what bears loss, and that its prefix is what inference sends."""

import pytest
import torch

import tiny
from crossfoot.agent.loop import Setting, run_batch
from crossfoot.chat.template import Chat
from crossfoot.engines.local import TransformersEngine
from crossfoot.targets.rows import build_rows, has_extension_property, merge, single_chain

EXTENDS = {"crossfoot": True, "qwen2_5": True, "gemma3": True}


class _Forced:
    """Makes ``generate`` write given completions, one row after another, and keeps its inputs."""

    def __init__(self, completions):
        self.completions = completions
        self.seen = []

    def __call__(self, width):
        completion = self.completions[len(self.seen)]

        def force(input_ids, scores):
            if input_ids.shape[1] == width:
                self.seen.append(input_ids[0].tolist())
            forced = torch.full_like(scores, float("-inf"))
            forced[0, completion[input_ids.shape[1] - width]] = 0.0
            return forced

        return force


@pytest.mark.parametrize("name", tiny.TEMPLATES)
@pytest.mark.parametrize("reuse", [False, True])
def test_every_prefix_equals_what_generate_is_given(name, reuse):
    chat = Chat(tiny.tokenizer(name))
    rows = build_rows([tiny.sample()], chat, "short")
    forced = _Forced([row.completion_ids for row in rows])
    engine = TransformersEngine(tiny.llama(), chat, reuse=reuse, constraint=forced)
    (transcripts,) = run_batch([tiny.sample()], engine, Setting())
    assert [turn.submission.answer is not None for turn in transcripts] == [True] * 4
    assert forced.seen == [list(row.prompt_ids) for row in rows]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_looked_up_turn_has_one_target_and_a_computed_one_two(name):
    chat = Chat(tiny.tokenizer(name))
    rows = build_rows([tiny.sample()], chat, "short")
    texts = [chat.tokenizer.decode(row.completion_ids) for row in rows]
    names = ["submit_answer" if "submit_answer" in text else "calculate" for text in texts]
    computed = ["calculate", "submit_answer"]
    assert names == ["submit_answer", *computed, *computed, *computed]


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_every_completion_ends_with_the_end_of_turn_and_reads_back(name):
    chat = Chat(tiny.tokenizer(name))
    for row in build_rows([tiny.sample()], chat, "short"):
        assert row.completion_ids[-1] in chat.stop_ids
        text = chat.tokenizer.decode(row.completion_ids[:-1])
        reply = chat.parse(text)
        assert len(reply.calls) == 1
        assert not reply.malformed


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_the_extension_property_is_measured(name):
    rows = build_rows([tiny.sample()], Chat(tiny.tokenizer(name)), "short")
    assert has_extension_property(rows) == EXTENDS.get(name, False)


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_merged_chains_bear_loss_on_the_same_tokens_after_the_same_prefixes(name):
    rows = build_rows([tiny.sample()], Chat(tiny.tokenizer(name)), "short")

    def predictions(chains):
        return sorted(
            chain.ids[: place + 1]
            for chain in chains
            for place, bears in enumerate(chain.loss_mask)
            if bears
        )

    assert predictions(merge(rows)) == predictions([single_chain(row) for row in rows])


def test_rows_of_different_conversations_are_not_merged():
    chat = Chat(tiny.tokenizer())
    rows = [row for n in ("a", "b") for row in build_rows([tiny.sample(n)], chat, "short")]
    assert len(merge(rows)) == 2
