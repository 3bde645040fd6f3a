"""What an evaluation asks: the recipe of the run that is evaluated, and options over it.

``asked(run_of("runs/mine"), {"input": "retrieved"})`` is a recipe of which an evaluation takes the
model, the prompt, target and input with their knobs, and how replies are decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossfoot.engines.build import NO_ADAPTER
from crossfoot.engines.sampling import Sampling
from crossfoot.errors import RecipeError
from crossfoot.files import user_path
from crossfoot.models.embedded import EMBEDDED
from crossfoot.runs.folder import FINAL
from crossfoot.tasks.registry import TASKS
from crossfoot.training.recipe import Recipe, load_recipe

# The keys of a recipe that say how questions are put to a model.
PUT = (
    "prompt",
    "prompt_style",
    "target",
    "input",
    "text_distractors",
    "table_distractors",
    "context_seed",
    "budget",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A run folder of a training, and its recipe."""

    folder: Path
    recipe: Recipe

    @property
    def model(self) -> str:
        """The model to load: the run's own where all weights were trained."""
        full = self.recipe.adapter.method == "none"
        return str(self.folder / FINAL) if full else self.recipe.model

    @property
    def adapter(self) -> str:
        """The adapter to load on it."""
        return NO_ADAPTER if self.recipe.adapter.method == "none" else str(self.folder)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: questions of a task, answered by a model with an adapter.

    None for both is what was not named. ``folder`` is that of the run that is evaluated itself;
    its base alone is no part of it.
    """

    task: str
    model: str | None
    adapter: str | None
    trained: Trained | None
    folder: Path | None


def trained_in(path: str | None) -> Trained | None:
    """The training whose run folder, or ``final_model`` in it, this is."""
    if path is None:
        return None
    folder = user_path(path)
    folder = folder.parent if folder.name == FINAL else folder
    recipe = folder / "recipe.yaml"
    return Trained(folder, load_recipe(recipe)) if recipe.is_file() else None


def weights_to_load(
    trained: Trained, own: bool, model: str | None, adapter: str | None
) -> tuple[str, str]:
    """Model and adapter: what was named, and of the training what was not.

    ``own`` says that the run itself was named, not its adapter or model.
    """
    full = trained.recipe.adapter.method == "none"
    if own and adapter == NO_ADAPTER:
        return model or trained.recipe.model, NO_ADAPTER
    if own or trained_in(adapter) is not None:
        return trained.model if full or model is None else model, trained.adapter
    return trained.model, trained.adapter if adapter is None else adapter


def subject(task: str, model: str | None, adapter: str | None, *, served: bool) -> Subject:
    """Task and weights by what was named: a task or a run, a model, an adapter.

    A server (``served``) knows its weights by names of its own, of which nothing is loaded here.
    """
    own = trained_in(task)
    trained = own or trained_in(adapter) or trained_in(model)
    folder = None
    if own is not None:
        if adapter not in (None, NO_ADAPTER):
            raise RecipeError("a run has its own adapter", advice="name a task instead of the run")
        task = own.recipe.data[0].task
        folder = None if adapter == NO_ADAPTER else own.folder
    elif "/" in task or (task not in TASKS and Path(task).is_dir()):
        raise RecipeError(
            f"{task} is no run: it has no recipe.yaml",
            advice="name a task, and an adapter with --adapter",
        )
    if trained is not None and not served:
        model, adapter = weights_to_load(trained, own is not None, model, adapter)
    elif trained is not None and model is None:
        raise RecipeError(
            "a server knows the run's model by another name", advice="give it with --model"
        )
    return Subject(task, model, adapter, trained, folder)


def asked(trained: Trained | None, model: str, given: dict[str, Any]) -> Recipe:
    """The recipe of an evaluation: of the training, or of ``model`` alone, with what is given.

    ``given`` has keys of a recipe, its sections ``generation`` and ``tracking`` among them; None
    is what is not given.
    """
    if trained is None:
        document: dict[str, Any] = {"prompt": "short"}
    else:
        document = {key: getattr(trained.recipe, key) for key in PUT}
        document["generation"] = trained.recipe.generation.model_dump()
        document["tracking"] = trained.recipe.tracking.model_dump()
    for section in ("generation", "tracking"):
        own = {key: value for key, value in given[section].items() if value is not None}
        given = given | {section: document.get(section, {}) | own}
    document |= {key: value for key, value in given.items() if value is not None}
    document |= {"model": model, "data": [{"task": "any"}]}
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RecipeError(
            first["msg"].removeprefix("Value error, "), field=field or None
        ) from error


def default_adapter(recipe: Recipe) -> str | None:
    """The shipped adapter writes calls; of any other target the embedded model knows nothing."""
    return NO_ADAPTER if recipe.model == EMBEDDED and recipe.target != "tool" else None


def sampling_of(recipe: Recipe) -> Sampling:
    """How the replies are decoded."""
    options = recipe.generation
    return Sampling(
        num_beams=options.num_beams,
        do_sample=options.do_sample,
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
    )
