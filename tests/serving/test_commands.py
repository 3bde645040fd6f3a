"""The commands that serve a model, and a real server that is started by one of them."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import tiny
from crossfoot.agent.loop import Setting, run_batch
from crossfoot.engines.build import Wanted, build_engine
from crossfoot.errors import ModelError
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.models.loading import load_model, load_tokenizer
from crossfoot.serving.commands import SERVERS, Server, serving
from faulty import unused_port


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny.save_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def adapter(model, tmp_path_factory):
    """An adapter of rank 20 that changes what the tiny model says."""
    folder = tmp_path_factory.mktemp("runs") / "mine" / "final_model"
    base = load_model(model, dtype="float32")
    tuned = add_adapter(
        base, method="lora", rank=20, alpha=40, dropout=0.0, targets="all-linear", start_from=None
    )
    for name, weight in tuned.named_parameters():
        if ".lora_" in name:
            weight.data.normal_(0.0, 0.3)
    folder.parent.mkdir()
    save_trained(tuned, load_tokenizer(model), folder)
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))


def options(command):
    """Options of a command line with their values; None for those without."""
    found = {}
    for word, value in zip(command, [*command[1:], "--"], strict=True):
        if word.startswith("--"):
            found[word] = None if value.startswith("--") else value
    return found


def vllm(model, adapter):
    return serving(model, adapter, server="vllm", write=False)


def test_vllm_gets_the_adapter_its_rank_and_the_parser_of_its_calls(model, adapter):
    made = vllm(model, adapter)
    given = options(made.command)
    assert made.command[1:3] == ["serve", model]
    assert made.served_name == "mine"
    assert given["--lora-modules"] == f"mine={adapter}"
    assert given["--max-lora-rank"] == "32"
    assert "--enable-lora" in given
    assert "--enable-auto-tool-choice" in given
    assert given["--tool-call-parser"] == "hermes"
    assert given["--generation-config"] == "vllm"
    assert given["--chat-template"] == str(adapter / "chat_template.jinja")
    assert (given["--host"], given["--port"]) == ("localhost", "8000")


def test_vllm_serves_a_base_alone_under_its_name(model):
    made = vllm(model, None)
    assert made.served_name == Path(model).name
    assert "--enable-lora" not in made.command


@pytest.mark.parametrize(
    ("template", "parser", "in_text"),
    [("qwen3_5_nothink", "qwen3_xml", False), ("gemma3", None, True)],
)
def test_the_template_decides_how_calls_travel(tmp_path, template, parser, in_text):
    tiny.llama().save_pretrained(tmp_path)
    tiny.tokenizer(template).save_pretrained(tmp_path)
    made = vllm(str(tmp_path), None)
    assert options(made.command).get("--tool-call-parser") == parser
    assert made.tools_in_text is in_text


@pytest.mark.parametrize(
    ("changes", "rank"),
    [({"r": 4, "rank_pattern": {"q_proj": 70}}, "128"), ({"r": 16}, "16"), ({"r": 512}, "512")],
)
def test_the_largest_rank_counts(model, adapter, tmp_path, changes, rank):
    assert (
        options(vllm(model, copied(adapter, tmp_path, changes)).command)["--max-lora-rank"] == rank
    )


def copied(adapter, folder, changes):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | changes))
    (folder / "adapter_model.safetensors").write_bytes(
        (adapter / "adapter_model.safetensors").read_bytes()
    )
    return folder


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}])
def test_what_vllm_cannot_apply_is_merged_first(model, adapter, tmp_path, changes):
    made = vllm(model, copied(adapter, tmp_path, changes))
    assert "--enable-lora" not in made.command
    assert "merged" in made.command[2]


@pytest.mark.parametrize("changes", [{"r": 513}, {"r": None}, {"r": "x"}])
def test_a_rank_that_cannot_be_served_is_refused(model, adapter, tmp_path, changes):
    with pytest.raises(ModelError, match="rank"):
        vllm(model, copied(adapter, tmp_path, changes))


def test_a_folder_without_an_adapter_is_refused(model, tmp_path):
    with pytest.raises(ModelError, match="no adapter here"):
        vllm(model, tmp_path)


def test_printing_names_the_merged_folder_without_making_it(
    monkeypatch, crossfoot, model, adapter, tmp_path
):
    code, out, err = crossfoot(
        *["serve", "--model", model, "--adapter", str(adapter.parent), "--print"],
        *["--server", "transformers", "--port", "9000", "--", "--device", "cpu"],
    )
    assert code == 0
    (line,) = out.splitlines()
    command = shlex.split(line)
    assert command[1] == "serve"
    assert command[-2:] == ["--device", "cpu"]
    assert options(command)["--port"] == "9000"
    assert f"--endpoint http://localhost:9000/v1 --model {command[2]}" in err
    assert not (tmp_path / "cache").exists()


def test_nothing_installed_ends_in_one_line_with_the_pip_command(monkeypatch, crossfoot, model):
    for name, server in SERVERS.items():
        absent = Server(f"no-such-{name}", server.needs, server.pip, server.options)
        monkeypatch.setitem(SERVERS, name, absent)
    code, out, err = crossfoot("serve", "--model", model)
    assert (code, out) == (2, "")
    assert "pip install vllm or pip install 'crossfoot[serve]'" in err
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_server_is_refused(monkeypatch, crossfoot, model):
    code, _, err = crossfoot("serve", "--model", model, "--server", "ollama")
    assert code == 2
    assert "known are vllm, transformers" in err


def test_a_run_without_its_option_is_refused(monkeypatch, crossfoot):
    code, _, err = crossfoot("serve", "runs/mine")
    assert code == 2
    assert "name what is served with --model and --adapter" in err


@pytest.mark.skipif(not SERVERS["transformers"].installed(), reason="no transformers serve")
def test_what_serve_starts_answers_as_the_local_engine_does(model, adapter):
    """A real server over the network: the adapter merged into its base, in bfloat16."""
    port = unused_port()
    code = "from crossfoot.cli.main import run; run()"
    arguments = ["serve", "--model", model, "--adapter", str(adapter), "--port", str(port)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            *arguments,
            "--server",
            "transformers",
            "--",
            "--device",
            "cpu",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        command = shlex.split(process.stdout.readline())
        wait_for(f"http://localhost:{port}/health", process)
        endpoint = f"http://localhost:{port}/v1"
        remote = build_engine("remote", Wanted(command[2], endpoint=endpoint))
        samples = [tiny.sample("one")]
        served = run_batch(samples, remote, Setting(history="gold"))
        tuned, base = (
            run_batch(samples, engine, Setting(history="gold"))
            for engine in (
                build_engine("transformers", Wanted(model, one, dtype="bfloat16"))
                for one in (adapter, None)
            )
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()
    said = [[turn.messages for turn in one[0]] for one in (served, tuned, base)]
    assert said[0] == said[1]
    assert said[0] != said[2]
    assert [t.prompt_tokens for t in served[0]] == [t.prompt_tokens for t in tuned[0]]


def wait_for(address, process):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the server did not start")
