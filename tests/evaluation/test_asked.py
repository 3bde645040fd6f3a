"""Which weights an evaluation of a training loads."""

import pytest
import yaml

import workshop
from crossfoot.evaluation.asked import trained_in, weights_to_load


@pytest.fixture(params=["lora", "none"])
def run(request, tmp_path):
    """The folder of a training with an adapter, or of all weights."""
    folder = tmp_path / "run"
    folder.mkdir()
    document = workshop.recipe_document(tmp_path / "base", adapter={"method": request.param})
    (folder / "recipe.yaml").write_text(yaml.safe_dump(document), "utf-8")
    return folder


def test_the_run_itself_is_loaded_as_it_was_trained(run):
    trained = trained_in(str(run))
    full = trained.recipe.adapter.method == "none"
    base, tuned = trained.recipe.model, str(run / "final_model")
    expected = (tuned, "none") if full else (base, str(run))
    assert weights_to_load(trained, True, None, None) == expected
    assert weights_to_load(trained, False, None, str(run)) == expected
    assert weights_to_load(trained, False, str(run), None) == expected


def test_the_base_alone_is_the_model_before_the_training(run):
    trained = trained_in(str(run))
    assert weights_to_load(trained, True, None, "none") == (trained.recipe.model, "none")
    assert weights_to_load(trained, True, "/a/base", "none") == ("/a/base", "none")


def test_another_adapter_or_base_is_not_forgotten(run):
    trained = trained_in(str(run))
    full = trained.recipe.adapter.method == "none"
    _, adapter = weights_to_load(trained, False, str(run), "/an/adapter")
    assert adapter == "/an/adapter"
    model, _ = weights_to_load(trained, True, "/a/base", None)
    assert model == (str(run / "final_model") if full else "/a/base")


def test_what_is_no_run_is_none(tmp_path):
    assert trained_in(None) is None
    assert trained_in("none") is None
    assert trained_in(str(tmp_path)) is None
