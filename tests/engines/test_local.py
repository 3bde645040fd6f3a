"""The engine: batches, reuse of encoded pages, limits."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Qwen3_5ForCausalLM,
    Qwen3_5TextConfig,
)

import tiny
from crossfoot.chat.messages import assistant, user
from crossfoot.chat.prompt import system_message
from crossfoot.chat.template import Chat
from crossfoot.engines.decoding import ALONE
from crossfoot.engines.local import TransformersEngine
from crossfoot.engines.pagecache import can_keep, common_prefix
from crossfoot.errors import ModelError

SHAPE = {
    "vocab_size": 640,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 8192,
    "pad_token_id": 0,
    "eos_token_id": 2,
}
QUESTIONS = (
    ("what was the revenue?", "and in 2015, as a share of all that was earned?", "why?"),
    ("was it higher than in 2015, if you look at the whole year and all segments?", "so?", "sum?"),
    ("costs?", "and how much more were they than in the year before that one?", "in percent?"),
)


def sharpened(model, embedding=1.0):
    """Weights large enough that what is written depends on every token before it."""
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            scale = embedding if "embed" in name else 0.4
            weight.data = scale * torch.randn_like(weight)
    return model.eval()


def llama():
    return sharpened(tiny.llama())


def gemma():
    config = Gemma3TextConfig(
        **SHAPE, sliding_window=16, layer_types=["sliding_attention", "full_attention"]
    )
    return sharpened(Gemma3ForCausalLM(config), embedding=0.1)


def qwen():
    torch.manual_seed(1)
    config = Qwen3_5TextConfig(
        **SHAPE,
        linear_num_value_heads=4,
        linear_num_key_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        layer_types=["linear_attention", "full_attention"],
    )
    return sharpened(Qwen3_5ForCausalLM(config), embedding=0.1)


class Recording(TransformersEngine):
    """Keeps the ids of every reply, and the width of every input that the model encoded."""

    def __init__(self, model, template="crossfoot", **options):
        super().__init__(model, Chat(tiny.tokenizer(template)), **options)
        self.replies = []
        self.widths = []
        model.get_input_embeddings().register_forward_hook(
            lambda module, inputs, output: self.widths.append(inputs[0].shape[1])
        )

    def _decode(self, *prompts_and_limit):
        replies = super()._decode(*prompts_and_limit)
        self.replies += replies
        return replies

    def _generate(self, *prompts_and_limit):
        replies = super()._generate(*prompts_and_limit)
        self.replies += replies
        return replies


def conversations(count=3):
    return [[system_message(tiny.page(), "short")] for _ in range(count)]


def converse(engine, together, new_tokens=12, page=True):
    """All questions, either in batches or one conversation after the other; ids by turn."""
    histories = conversations() if page else [[], [], []]
    groups = [range(len(histories))] if together else [[n] for n in range(len(histories))]
    ids = {}
    for group in groups:
        engine.new_batch()
        for turn in range(len(QUESTIONS[0])):
            for index in group:
                histories[index].append(user(QUESTIONS[index][turn]))
            replies = engine.generate([histories[index] for index in group], new_tokens)
            for index, reply in zip(group, replies, strict=True):
                histories[index].append(assistant(reply.text))
            for index, reply_ids in zip(group, engine.replies[-len(group) :], strict=True):
                ids[index, turn] = reply_ids
    return ids


def test_batched_replies_with_reuse_equal_single_ones_without_token_for_token():
    batched = converse(Recording(llama()), together=True)
    alone = converse(Recording(llama(), reuse=False), together=False)
    assert batched == alone
    assert len({tuple(ids) for ids in alone.values()}) > 6


@pytest.mark.parametrize("build", [gemma, qwen])
def test_a_model_that_keeps_no_plain_keys_is_run_without_reuse_and_right(build):
    model = build()
    # Without page and tools, whose many tokens would all but drown the questions.
    batched, alone = Recording(model, "gemma3"), Recording(model, "gemma3")
    assert not can_keep(batched.model)
    assert not batched.reuse
    ids = converse(batched, together=True, new_tokens=8, page=False)
    assert ids == converse(alone, together=False, new_tokens=8, page=False)
    assert len({tuple(reply) for reply in ids.values()}) > 3


def test_our_loop_decodes_what_transformers_decodes():
    ours, theirs = Recording(llama()), Recording(llama())
    theirs.plain = theirs.reuse = False
    assert converse(ours, together=True) == converse(theirs, together=True)


def test_finished_rows_leave_the_batch():
    engine = Recording(llama())
    chat = engine.chat
    heights = []
    engine.model.lm_head.register_forward_hook(lambda m, i, output: heights.append(len(output)))
    ids = converse(engine, together=False, new_tokens=6)
    stop = ids[0, 0][2]
    chat.__dict__["stop_ids"] = frozenset({stop})  # a cached property
    engine.new_batch()
    heights.clear()
    engine.generate([[*history, user(QUESTIONS[n][0])] for n, history in
                     enumerate(conversations())], 6)  # fmt: skip
    assert engine.replies[-3][-1] == stop
    assert heights[:2] == [1, 3]  # the page, which they share, is encoded alone
    assert heights[-1] < 3


def test_the_second_question_encodes_only_what_is_new():
    engine = Recording(llama())
    chat = engine.chat
    histories = conversations()
    for history, questions in zip(histories, QUESTIONS, strict=True):
        history.append(user(questions[0]))
    first = engine.generate(histories, 8)
    assert engine.widths[0] == first[0].prompt_tokens - 1
    written = [ids for _, ids in zip(first, engine.replies, strict=True)]
    before = [chat.prompt_ids(history) for history in histories]
    engine.widths.clear()
    for history, reply, questions in zip(histories, first, QUESTIONS, strict=True):
        history += [assistant(reply.text), user(questions[1])]
    engine.generate(histories, 8)
    page = len(chat.prompt_ids(conversations(1)[0]))
    assert engine.widths[0] < page / 5
    new = []
    for history, prompt, ids in zip(histories, before, written, strict=True):
        now = chat.prompt_ids(history)
        # The last id of a reply was never fed to the model, so it is encoded now.
        known = [*prompt, *ids[:-1]]
        shared = next((n for n, (a, b) in enumerate(zip(known, now, strict=False)) if a != b), None)
        new.append(len(now) - (len(known) if shared is None else shared))
    alone = [tokens - 1 for tokens in new if tokens > ALONE]
    together = max(1 if tokens > ALONE else tokens for tokens in new)
    assert engine.widths[: len(alone) + 1] == [*alone, together]


def test_a_page_is_encoded_once_for_conversations_that_share_it_with_an_earlier_question():
    engine = Recording(llama())
    engine.generate([[*conversations(1)[0], user("what?")]], 2)
    engine.widths.clear()
    engine.generate([[*conversations(1)[0], user(q)] for q in ("why?", "and how much?")], 2)
    assert engine.widths[0] < 100


def test_a_page_is_encoded_once_for_conversations_of_one_batch():
    engine = Recording(llama())
    replies = engine.generate([[*conversations(1)[0], user(q)] for q in ("why?", "how much?")], 2)
    longest = max(reply.prompt_tokens for reply in replies)
    assert longest > 1000
    assert sum(engine.widths) < longest + 50


def test_pages_of_different_length_are_encoded_without_padding():
    engine = Recording(llama())
    short, long = conversations(2)
    short[0] = system_message(replace(tiny.page(), after=()), "short")
    replies = engine.generate([[*short, user("what?")], [*long, user("what?")]], 1)
    assert replies[0].prompt_tokens < replies[1].prompt_tokens
    shared = common_prefix(*(engine.chat.prompt_ids(opening) for opening in (short, long)))
    tokens = [reply.prompt_tokens for reply in replies]
    assert engine.widths == [tokens[0] - 1, tokens[1] - 1 - shared, 1]


def test_a_new_batch_forgets_what_was_kept():
    engine = Recording(llama())
    messages = [[*conversations(1)[0], user("what?")]]
    engine.generate(messages, 2)
    engine.new_batch()
    engine.widths.clear()
    engine.generate(messages, 2)
    assert engine.widths[0] > 1000


def test_only_the_last_batch_is_kept():
    engine = Recording(llama())
    for count in (3, 2, 2):
        replies = engine.generate(
            [[*history, user(f"what of {n}?")] for n, history in enumerate(conversations(count))], 4
        )
        assert len(engine._kept) == count
        for kept, reply in zip(engine._kept, replies, strict=True):
            assert len(kept.ids) <= reply.prompt_tokens + 4
            assert all(keys.shape[1] == len(kept.ids) for keys, _ in kept.layers)


def test_a_reply_cut_by_the_limit_is_not_finished_and_one_with_end_of_turn_is():
    chat = Chat(tiny.tokenizer())
    wanted = [*chat.tokenizer("revenue")["input_ids"][:3], chat.end_id]

    class Forcing:
        """One row writes what is wanted, the other its first token for ever."""

        def __init__(self):
            self.places = {}

        def read(self, batch):
            pass

        def begin(self, row):
            self.places[row] = 0
            return []

        def accept(self, row, token):
            self.places[row] += 1
            return []

        def adjust(self, row, scores):
            place = min(self.places[row], len(wanted) - 1) if row == 0 else 0
            scores[:] = float("-inf")
            scores[wanted[place]] = 0.0

    engine = TransformersEngine(tiny.llama(), chat, steering=Forcing())
    ended, cut = engine.generate([[user("a")], [user("a longer one")]], 10)
    assert (ended.finished, ended.completion_tokens) == (True, len(wanted))
    assert ended.text == chat.tokenizer.decode(wanted[:-1])
    assert (cut.finished, cut.completion_tokens) == (False, 10)


def test_a_prompt_that_does_not_fit_the_context_is_refused_in_one_line():
    engine = TransformersEngine(tiny.llama(), Chat(tiny.tokenizer()))
    with pytest.raises(ModelError, match="context of 8192") as caught:
        engine.generate([[user("1 2 3 4 5 6 7 8 9 " * 1000)]], 4)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError):
        engine.generate([[user("short")]], 8192)


def test_a_models_own_generation_config_does_not_make_decoding_anything_but_greedy():
    plain, configured = Recording(llama()), Recording(llama())
    configured.model.generation_config.update(
        repetition_penalty=5.0, do_sample=True, temperature=9.0, top_k=3
    )
    messages = [[*conversations(1)[0], user("what?")]]
    plain.generate(messages, 12)
    configured.generate(messages, 12)
    assert plain.replies == configured.replies
