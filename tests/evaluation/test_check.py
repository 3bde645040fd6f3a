"""Agreement of engines and forms, and adapters that are ignored."""

import json

import pytest

import faulty
import filings
import tiny
from crossfoot.agent.loop import Setting
from crossfoot.chat.template import Chat
from crossfoot.evaluation.check import Column, check, token_agreement
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.loading import load_model, load_tokenizer
from scripted import Scripted, submitted

OPTIONS = ("--task", "synthetic", "--limit", "1", "--json")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    # As many tokens as the tokenizer has: a random model writes others too, which a GGUF names.
    tiny.llama(vocabulary=len(tiny.tokenizer())).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.fixture
def adapter(model, tmp_path):
    """Saves an adapter whose weights are drawn with this deviation."""

    def save(deviation):
        tuned = add_adapter(
            load_model(model, dtype="float32"),
            method="lora",
            rank=4,
            alpha=8,
            dropout=0.0,
            targets="all-linear",
            start_from=None,
        )
        for name, weight in tuned.named_parameters():
            if ".lora_B." in name:
                weight.data.normal_(0.0, deviation)
        folder = tmp_path / "run" / "final_model"
        folder.parent.mkdir()
        save_trained(tuned, load_tokenizer(model), folder)
        return str(folder.parent)

    return save


@pytest.fixture
def crossfoot(crossfoot, monkeypatch, tmp_path):
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    return lambda *arguments: crossfoot("check", *OPTIONS, *arguments)


def always(text):
    return lambda: Scripted(reply=lambda messages: text)


def rows(tuned, base, bound=0.9, chat=None):
    """The check of scripted engines; the first column is right in every first turn."""
    chat = chat or Chat(tiny.tokenizer())
    columns = [Column(f"engine {n}", always(text), "base") for n, text in enumerate(tuned)]
    setting = Setting(history="gold")
    return check(columns, {"base": always(base)}, [tiny.sample()], setting, chat, bound)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreement"),
    [
        ([[1, 2, 3]], [[1, 2, 3]], 1.0),
        ([[1, 2, 3]], [[1, 9, 3]], 1 / 3),
        ([[1, 2]], [[1, 2, 3, 4]], 0.5),
        ([[1, 2], []], [[1, 2], [5, 6]], 0.5),
        ([[]], [[]], 1.0),
    ],
)
def test_tokens_agree_up_to_the_first_difference(ours, theirs, agreement):
    assert token_agreement(ours, theirs) == agreement


def test_engines_that_say_the_same_pass():
    first, second = rows([submitted("5829")] * 2, base="no idea")
    assert (second.token_agreement, second.verdict_agreement) == (1.0, 1.0)
    assert (first.turns, first.correct, first.changed) == (4, 1, 4)
    assert first.failure is second.failure is None


def test_an_engine_that_says_something_else_fails():
    _, second = rows([submitted("5829"), submitted("7")], base="no idea")
    assert second.verdict_agreement == 0.75
    assert second.token_agreement < 1
    assert "of tokens and 75.0% of verdicts" in second.failure
    assert rows([submitted("5829"), submitted("7")], base="no idea", bound=0.1)[1].failure is None


def test_an_engine_that_ignores_the_adapter_fails():
    first, second = rows([submitted("5829"), "no idea"], base="no idea")
    assert first.failure is None
    assert second.failure.startswith("answers as the base model does on all 4 turns")


def test_an_adapter_that_changes_nothing_anywhere_fails_though_all_agree():
    assert all("not applied" in row.failure for row in rows(["no idea"] * 2, base="no idea"))


def test_an_adapter_beside_its_base_and_merged_into_it_agree(crossfoot, model, adapter):
    code, out, err = crossfoot(adapter(0.5), "--model", model, "--bound", "0")
    document = json.loads(out)
    assert code == 0, err
    assert [row["name"] for row in document["rows"]] == [
        "transformers adapter",
        "transformers merged",
    ]
    assert all(row["changed"] > 0 for row in document["rows"])
    assert document["rows"][0]["token_agreement"] == 1.0


def test_every_form_runs_in_the_engines_that_read_it(crossfoot, model, adapter, monkeypatch):
    pytest.importorskip("openvino_genai")
    # In bfloat16, whose merged weights a GGUF of type f16 holds exactly.
    monkeypatch.setattr("crossfoot.models.loading.SMALL", 0)
    code, out, err = crossfoot(
        adapter(0.5),
        *("--model", model, "--bound", "0"),
        *("--engines", "transformers,openvino", "--forms", "adapter,merged,gguf"),
    )
    assert code == 0, err
    found = json.loads(out)["rows"]
    assert [row["name"] for row in found] == [
        "transformers adapter",
        "transformers merged",
        "transformers gguf",
        "openvino gguf",
    ]
    assert all(row["changed"] > 0 for row in found)
    assert found[2]["token_agreement"] == found[1]["token_agreement"]


def test_an_adapter_too_weak_to_change_these_replies_is_still_seen(crossfoot, adapter):
    code, out, err = crossfoot(adapter(0.01), "--forms", "adapter", "--bound", "0")
    assert code == 0, err
    (row,) = json.loads(out)["rows"]
    assert (row["changed"], row["failure"]) == (0, None)


def test_an_empty_adapter_fails_with_exit_code_1(crossfoot, adapter):
    code, out, err = crossfoot(adapter(0.0))
    assert code == 1
    assert [row["changed"] for row in json.loads(out)["rows"]] == [0, 0]
    assert err.count("the adapter is not applied") == 2


def test_a_server_is_held_against_its_own_base(crossfoot, adapter):
    def both_the_same(handler, request):
        faulty.body(faulty.completion("so", model=request["model"]))(handler, request)

    run = adapter(0.5)
    with faulty.serving(both_the_same) as server:
        code, out, err = crossfoot(
            run,
            *("--engines", "transformers,remote", "--endpoint", server.address),
            *("--served", "tuned", "--served-base", "base", "--bound", "0"),
        )
    assert code == 1
    assert "failed: remote answers as the base model does" in err
    assert [row["failure"] is None for row in json.loads(out)["rows"]] == [True, True, False]
    assert {request["model"] for request in server.seen} == {"tuned", "base"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--engines", "transformers,remote"], "--served is missing"),
        (["--engines", "vllm"], "known are transformers, openvino, remote"),
        (
            ["--engines", "openvino", "--forms", "gguf,merged"],
            "no engine of --engines runs the form m",
        ),
        (["--engines", ""], "no engine"),
        (["--engines", "remote", "--served", "m"], "needs the address"),
    ],
)
def test_a_mistake_ends_in_one_line_and_exit_code_2(crossfoot, adapter, arguments, told):
    code, out, err = crossfoot(adapter(0.5), *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_split_without_labels_is_refused(crossfoot, adapter, monkeypatch, tmp_path):
    unlabelled = filings.finqa_record(1)
    del unlabelled["qa"]["exe_ans"]
    filings.write(tmp_path / "data" / "finqa" / "test.json", [unlabelled])
    monkeypatch.setenv("CROSSFOOT_DATA", str(tmp_path / "data"))
    code, out, err = crossfoot(adapter(0.5), "--task", "finqa", "--split", "test")
    assert (code, out) == (2, "")
    assert "no conversation of finqa test has labels" in err


def test_a_folder_without_an_adapter_is_refused(crossfoot, tmp_path):
    code, _, err = crossfoot(str(tmp_path))
    assert code == 2
    assert "neither a run nor an adapter" in err


def test_a_model_without_adapter_has_nothing_to_be_checked(crossfoot, model):
    code, _, err = crossfoot(model)
    assert code == 2
    assert "no adapter here to be checked" in err
