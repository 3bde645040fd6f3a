"""Every recipe loads and can be planned, with a tiny random model of its architecture in place."""

from __future__ import annotations

import ast
import json
import re

import pytest
import torch
import yaml
from transformers import Gemma3ForConditionalGeneration, Qwen3_5ForConditionalGeneration

import families
import filings
import tiny
import workshop
from conftest import REPOSITORY
from crossfoot.training.plan import plan
from crossfoot.training.recipe import load_recipe
from crossfoot.training.train import train

RECIPES = sorted((REPOSITORY / "recipes").glob("*.yaml"))
FAMILIES = {
    "smollm2": ("llama", "crossfoot"),
    "Qwen2.5": ("qwen2", "qwen2_5"),
    "DeepSeek-R1-Distill-Qwen": ("qwen2", "deepseek_r1_distill"),
    "Qwen3.5": ("multimodal", "qwen3_5_think"),
    "gemma-3-1b": ("gemma3", "gemma3"),
    "gemma-3-4b": ("multimodal_gemma", "gemma3"),
}
# The runs of the fine-tuning lab (seed 002): three models, five pairs of input and target.
LAB = ("finqa-gemma3-1b", "finqa-gemma3-4b-qlora", "finqa-qwen2.5-coder-3b")
PAIRS = [
    ("gold", "program"),
    ("all", "program"),
    ("noisy_gold", "program"),
    ("gold", "numerical"),
    ("all", "numerical"),
]


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """Folders of tiny models by family, and data for every task."""
    folder = tmp_path_factory.mktemp("recipes")
    for name, (family, template) in FAMILIES.items():
        torch.manual_seed(0)
        if family == "multimodal":
            model = Qwen3_5ForConditionalGeneration(families.multimodal())
        elif family == "multimodal_gemma":
            model = Gemma3ForConditionalGeneration(families.multimodal_gemma())
        else:
            model = families.build(family)
        model.save_pretrained(folder / name)
        tiny.tokenizer(template).save_pretrained(folder / name)
    workshop.write_data(folder / "data")
    questions = [
        filings.finqa_record(number) | {"filename": f"OURS/2016/page_{number}.pdf"}
        for number in range(16)
    ]
    filings.write(folder / "data" / "finqa" / "train.json", questions)
    return folder


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_a_recipe_loads_and_its_training_can_be_planned(path, stand_ins, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(stand_ins / "data"))
    named = load_recipe(path).model
    family = next(name for name in FAMILIES if name in named)
    few = ["validation.conversations=2", "adapter.rank=4", "batch_rows=8"]
    if "synthetic" in path.stem:
        few.append("data.0.limit=4")
    found = plan(load_recipe(path, [f"model={stand_ins / family}", *few]))
    assert found.steps >= 1
    assert found.left_out == []
    assert found.rows > 10
    assert found.memory.trained > 0


def _lab(name, input, target, stand_ins, *more):
    path = REPOSITORY / "recipes" / f"{name}.yaml"
    family = next(known for known in FAMILIES if known in load_recipe(path).model)
    chosen = [f"model={stand_ins / family}", f"input={input}", f"target={target}"]
    return load_recipe(path, [*chosen, "validation.conversations=2", *more])


@pytest.mark.parametrize("name", LAB)
@pytest.mark.parametrize(("input", "target"), PAIRS)
def test_each_of_the_fifteen_runs_can_be_planned(name, input, target, stand_ins, monkeypatch):
    monkeypatch.setenv("CROSSFOOT_DATA", str(stand_ins / "data"))
    recipe = _lab(name, input, target, stand_ins)
    assert recipe.folder.endswith(f"-input_{input}-output_{target}")
    found = plan(recipe)
    assert found.rows == 14
    assert (found.memory.adapter > 0) == (recipe.adapter.method == "qlora")


@pytest.mark.parametrize("name", LAB)
def test_each_model_of_the_lab_trains(name, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setenv("CROSSFOOT_DATA", str(stand_ins / "data"))
    recipe = _lab(name, "noisy_gold", "program", stand_ins, "trainer.max_steps=2")
    run = train(recipe, tmp_path / "run")
    assert len(run.read_lines("train_loss.log")) == 2
    prompt = run.read_json("data.json")["train"]
    assert prompt["rows"] == 14


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_a_header_gives_the_command_and_what_it_needs(path):
    header = " ".join(line[1:].strip() for line in path.read_text().splitlines() if line[:1] == "#")
    assert f"crossfoot train recipes/{path.name}" in header
    assert re.search(r"\d+(\.\d+)? GB|minutes", header)


def test_the_published_adapter_is_trained_by_its_own_settings():
    recipe = load_recipe(REPOSITORY / "recipes" / "convfinqa-qwen3.5-4b-lora.yaml")
    assert (recipe.model, recipe.adapter.rank, recipe.batch_rows) == ("Qwen/Qwen3.5-4B", 32, 64)
    assert recipe.max_tokens == 16_384
    assert recipe.trainer["learning_rate"] == 3e-4
    assert recipe.trainer["lr_scheduler_type"] == "cosine"
    assert recipe.trainer["num_train_epochs"] == 3


@pytest.mark.parametrize("name", ["fsdp", "deepspeed"])
def test_configs_for_several_gpus_are_what_accelerate_reads(name):
    from accelerate.commands.config.config_args import load_config_from_file

    path = REPOSITORY / "recipes" / "accelerate" / f"{name}.yaml"
    config = load_config_from_file(str(path))
    assert (
        config.distributed_type.value.lower()
        == yaml.safe_load(path.read_text())["distributed_type"].lower()
    )
    assert config.num_processes == 2


def _cells(kind):
    notebook = json.loads((REPOSITORY / "docs" / "notebooks" / "colab.ipynb").read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_notebook_is_of_format_4_and_holds_no_output():
    notebook = json.loads((REPOSITORY / "docs" / "notebooks" / "colab.ipynb").read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 0)
    for cell in notebook["cells"]:
        code = {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert cell.keys() == {"cell_type", "metadata", "source"} | code
        assert all(isinstance(line, str) for line in cell["source"])
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_notebooks_cells_are_python():
    for source in _cells("code"):
        python = [line for line in source.splitlines() if not line.startswith(("!", "%"))]
        assert ast.parse("\n".join(python)).body or len(python) < len(source.splitlines())


def test_every_command_of_the_notebook_is_one_of_ours():
    """Arguments and options are parsed by the command itself; nothing is run."""
    import shlex

    import typer

    from crossfoot.cli.main import app

    group = typer.main.get_command(app)
    lines = [
        line.removeprefix("!crossfoot ")
        for source in _cells("code")
        for line in source.splitlines()
        if line.startswith("!crossfoot ")
    ]
    assert len(lines) >= 5
    for line in lines:
        command, words = group, shlex.split(line)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context(line, words)
        for word in words:
            if word.startswith("recipes/"):
                overrides = [other for other in words if "=" in other and not other.startswith("-")]
                assert load_recipe(REPOSITORY / word, overrides)
