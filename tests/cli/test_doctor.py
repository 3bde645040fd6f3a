"""``crossfoot doctor``: on this machine, for real, with recipes of tiny models."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import workshop
from crossfoot.cli.main import app
from crossfoot.models import loading
from crossfoot.training import examine
from crossfoot.training.fitting import fits
from crossfoot.training.recipe import load_recipe


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    workshop.write_model(folder / "model")
    return workshop.write_recipe(folder / "tiny.yaml", folder / "model")


def test_the_report_says_what_works_and_which_recipe_fits(recipe, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(examine, "hub", lambda: "not asked")
    done = CliRunner().invoke(app, ["doctor", str(recipe), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["extras"]["train"] == "works"
    assert set(report["extras"]) == set(examine.EXTRAS)
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = set(project["project"]["optional-dependencies"]) - {"dev"}
    assert set(examine.EXTRAS) == extras
    installed = {name for name, said in report["extras"].items() if "not installed" not in said}
    assert {report["extras"][name] for name in installed} == {"works"}
    assert report["hardware"]["free_bytes"] > 0
    assert min(report["gigaflops"].values()) > 0
    (row,) = report["recipes"]
    assert row["batch_tokens"] == 4096
    attention = row["attention_seconds_per_token"] * 1e6 / 3600
    assert 0 < attention < row["hours_per_million_tokens"]
    assert report["recommended"] == row


def test_people_get_the_command(recipe, monkeypatch):
    monkeypatch.setattr(examine, "EXTRAS", {})
    monkeypatch.setattr(examine, "HUB_SECONDS", 0.2)
    done = CliRunner().invoke(app, ["doctor", str(recipe)])
    assert done.exit_code == 0, done.output
    assert f"crossfoot train {recipe} batch_tokens=4096" in done.stderr.replace("\n", "")
    assert "processor" in done.stdout


def test_a_recipe_in_four_bits_is_recommended_only_where_they_work(tmp_path, monkeypatch):
    workshop.write_model(tmp_path / "model")
    adapter = {"method": "qlora", "rank": 2}
    path = workshop.write_recipe(tmp_path / "q.yaml", tmp_path / "model", adapter=adapter)
    monkeypatch.setattr(examine, "HUB_SECONDS", 0.2)
    for check, recommended in ((lambda: None, True), (lambda: 1 / 0, False)):
        monkeypatch.setattr(examine, "EXTRAS", {"quant": check})
        done = CliRunner().invoke(app, ["doctor", str(path), "--json"])
        assert done.exit_code == 0, done.output
        assert (json.loads(done.stdout)["recommended"] is not None) == recommended


def test_a_gpu_without_bfloat16_is_told_to_train_in_float16(tmp_path, monkeypatch):
    workshop.write_model(tmp_path / "model")
    path = workshop.write_recipe(tmp_path / "b.yaml", tmp_path / "model", dtype="bfloat16")
    monkeypatch.setattr(examine, "EXTRAS", {})
    monkeypatch.setattr(examine, "HUB_SECONDS", 0.2)
    monkeypatch.setattr(loading, "native_dtype", lambda: "float16")
    monkeypatch.setattr(examine, "rates", lambda: dict.fromkeys(loading.DTYPES, 100.0))
    done = CliRunner().invoke(app, ["doctor", str(path)])
    assert "batch_tokens=4096 dtype=float16" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("free", "recommended"), [(10**12, "batch_tokens=4096 dtype=float32"), (1, "no recipe here")]
)
def test_a_processor_that_emulates_bfloat16_is_told_to_train_in_float32(
    tmp_path, monkeypatch, free, recommended
):
    workshop.write_model(tmp_path / "model")
    path = workshop.write_recipe(tmp_path / "b.yaml", tmp_path / "model", dtype="bfloat16")
    here = examine.hardware() | {"free_bytes": free, "device": "cpu"}
    slow = {"float32": 200.0, "bfloat16": 100.0, "float16": 50.0}
    monkeypatch.setattr(examine, "hardware", lambda: here)
    monkeypatch.setattr(examine, "rates", lambda: slow)
    monkeypatch.setattr(examine, "EXTRAS", {})
    monkeypatch.setattr(examine, "HUB_SECONDS", 0.2)
    done = CliRunner().invoke(app, ["doctor", str(path)])
    assert recommended in done.stderr.replace("\n", " ")


def test_without_recipes_it_says_where_they_were_looked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(examine, "EXTRAS", {})
    monkeypatch.setattr(examine, "HUB_SECONDS", 0.2)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0, done.output
    assert "no recipes in recipes/" in done.stderr


def test_an_extra_that_is_missing_or_broken_is_told(monkeypatch):
    def missing():
        raise ImportError("no module", name="llguidance")

    def broken():
        raise OSError("libgomp.so: not found\nand more")

    monkeypatch.setattr(examine, "EXTRAS", {"constrain": missing, "quant": broken})
    assert examine.extras() == {
        "constrain": "not installed (llguidance): pip install 'crossfoot[constrain]'",
        "quant": "fails: libgomp.so: not found",
    }


def test_less_memory_means_a_smaller_micro_batch(recipe):
    loaded = load_recipe(recipe)
    whole = fits(loaded, 10**12, "cpu")
    less = fits(loaded, int(whole.needed_bytes / 0.9) - 10**6, "cpu")
    none = fits(loaded, int(0.5e9), "cpu")
    assert whole.batch_tokens == 4096
    assert less.batch_tokens == 2048
    assert less.needed_bytes < whole.needed_bytes
    assert none.batch_tokens is None


def test_a_small_micro_batch_needs_no_less_than_the_longest_page(recipe):
    needed = [
        fits(load_recipe(recipe, [f"batch_tokens={tokens}"]), 10**12, "cpu").needed_bytes
        for tokens in (512, 2048, 4096)
    ]
    assert needed[0] == needed[1] < needed[2]
    short = load_recipe(recipe, ["batch_tokens=512", "max_tokens=1500"])
    assert fits(short, 10**12, "cpu").needed_bytes < needed[0]


def test_a_model_that_is_not_here_is_known_by_its_shape(recipe):
    loaded = load_recipe(recipe, ["model=Qwen/Qwen2.5-Coder-3B-Instruct", "adapter.method=none"])
    found = fits(loaded, 20 * 10**9, "cpu")
    assert found.batch_tokens is None
    assert found.needed_bytes > 45 * 10**9
