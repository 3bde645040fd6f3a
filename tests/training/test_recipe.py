"""Recipes: what is read, overridden and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossfoot.errors import RecipeError
from crossfoot.training.recipe import load_recipe

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.yaml"))
TEXT = """\
model: smollm2-135m
data:
  - {task: convfinqa, limit: 480}
adapter: {method: lora, rank: 32}
trainer:
  learning_rate: 1e-4
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(TEXT)
    return tmp_path / "recipe.yaml"


def refused(path: Path, *overrides: str) -> str:
    """The one line that a user reads."""
    with pytest.raises(RecipeError) as error:
        load_recipe(path, list(overrides))
    line = str(error.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_committed_recipe_loads(recipe):
    assert load_recipe(recipe).data


def test_a_number_with_an_exponent_is_a_number(path):
    assert load_recipe(path).trainer["learning_rate"] == 1e-4


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("model=other", lambda recipe: recipe.model == "other"),
        ("max_tokens=100", lambda recipe: recipe.max_tokens == 100),
        ("data.0.limit=5", lambda recipe: recipe.data[0].limit == 5),
        ("data.0.limit=null", lambda recipe: recipe.data[0].limit is None),
        ("data=[{task: finqa}]", lambda recipe: recipe.data[0].task == "finqa"),
        ("adapter.rank=8", lambda recipe: recipe.adapter.rank == 8),
        ("adapter.targets=[q_proj]", lambda recipe: recipe.adapter.targets == ["q_proj"]),
        ("validation.scored=3", lambda recipe: recipe.validation.scored == 3),
        ("trainer.learning_rate=2e-5", lambda recipe: recipe.trainer["learning_rate"] == 2e-5),
        ("trainer.max_steps=-1", lambda recipe: recipe.trainer.get("max_steps") == -1),
        ("trainer.run_name=a=b", lambda recipe: recipe.trainer.get("run_name") == "a=b"),
    ],
)
def test_an_override_replaces_what_the_file_says(path, override, read):
    assert not read(load_recipe(path))
    assert read(load_recipe(path, [override]))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("modle=x", "field modle: unknown key 'modle'; did you mean model?"),
        ("adapter.rnak=3", "field adapter.rnak: unknown key 'rnak'; did you mean rank?"),
        ("data.0.limt=3", "field data.0.limt: unknown key 'limt'; did you mean limit?"),
        ("learning_rate=1", "did you mean trainer.learning_rate?"),
        ("rank=3", "did you mean adapter.rank?"),
        ("trainer.lerning_rate=1", "did you mean learning_rate?"),
        ("trainer.learning_rate=fast", "field trainer.learning_rate: should be a number"),
        ("trainer.bf16=maybe", "field trainer.bf16: should be true or false"),
        ("trainer.output_dir=x", "use --output"),
        ("trainer.hub_token=abc", "a key does not belong in a recipe"),
        ("data.5.limit=3", "no item '5' in this list; it has 1, from 0 on"),
        ("data.first.limit=3", "no item 'first' in this list"),
        ("data.1=3", "no item '1' in this list"),
        ("model.size=3", "field model.size: model has no keys of its own"),
        ("max_tokens=many", "field max_tokens"),
        ("max_tokens=0", "field max_tokens"),
        ("dtype=int8", "field dtype"),
        ("adapter=[1", "field adapter: the value is not readable as YAML"),
        ("max_tokens", "'max_tokens' is not of the form key=value"),
        ("=3", "'=3' is not of the form key=value"),
        ("data=[]", "field data"),
        ("data.0.split=validation", "validation is never trained on: name train"),
        ("model=", "field model"),
        ("trainer=3", "field trainer"),
        ("generation.top_p=0.9", "temperature and top_p are for samples: add do_sample"),
        ("generation={constrained: true, num_beams: 2}", "beams cannot be held to a format"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(path, override, said):
    assert said in refused(path, override)


def test_an_adapter_to_start_from_needs_an_adapter_method(path):
    line = refused(path, "adapter.method=none", "adapter.start_from=runs/one")
    assert "start_from needs an adapter" in line


def test_a_recipe_that_is_not_there_is_refused(tmp_path):
    assert "no such recipe; see recipes/" in refused(tmp_path / "none.yaml")


def test_a_folder_is_no_recipe(tmp_path):
    assert "a folder, not a recipe" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00\x01", "not a text file"),
        (b"model: [1", "not readable as YAML"),
        (b"model: \x00", "not readable as YAML"),
        (b"- model", "a recipe is a mapping"),
        (b"", "a recipe is a mapping"),
        (b"[" * 5000, "not readable as YAML"),
        (b"#" * 1_000_001, "too large for a recipe"),
        (b"model: !!python/object/apply:os.system ['true']", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_with_its_name(tmp_path, content, said):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    line = refused(path)
    assert str(path) in line
    assert said in line
