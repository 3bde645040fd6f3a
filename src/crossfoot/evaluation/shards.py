"""Batches spread over Ray workers, each with an engine of its own.

Whole batches are the unit of work, so that the replies are those of one process. A worker that
dies is started anew, on another machine if need be, and given its batch again
(https://docs.ray.io/en/latest/ray-core/fault_tolerance/actors.html).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from crossfoot.agent.loop import Setting, TurnTranscript, run_batch
from crossfoot.engines.base import Engine
from crossfoot.errors import CrossfootError, ModelError, RecipeError, first_line
from crossfoot.evaluation.evaluate import Batches, Runner, check_first_prompts
from crossfoot.tasks.base import Sample

RESTARTS = 3  # of each worker
OBJECT_STORE_BYTES = 200_000_000  # what travels is text


class Worker:
    """One engine in a process of its own; it is loaded at first use, anew after a restart."""

    def __init__(self, build: Callable[[], Engine]) -> None:
        self._build = build
        self._engine: Engine | None = None

    def load(self) -> Engine:
        """The engine."""
        if self._engine is None:
            self._engine = self._build()
        return self._engine

    def ready(self) -> None:
        """Load the engine and return nothing, as engines do not travel."""
        self.load()

    def check(self, batches: Batches, setting: Setting) -> None:
        """Raise ModelError before anything is asked, where a page does not fit."""
        check_first_prompts(self.load(), batches, setting)

    def run(
        self, number: int, batch: Sequence[Sample], setting: Setting
    ) -> tuple[int, list[list[TurnTranscript]]]:
        """A batch's transcripts, with its number."""
        return number, run_batch(batch, self.load(), setting)


@contextmanager
def ray_workers(build: Callable[[], Engine], shards: int) -> Iterator[Runner]:
    """A runner with ``shards`` workers on this machine, or on the cluster at ``RAY_ADDRESS``.

    ``build`` makes a worker's engine; what it raises is raised here before the block begins.
    """
    try:
        import ray
        from ray.util import ActorPool
    except ImportError as error:
        raise RecipeError("--shards needs Ray", advice="pip install 'crossfoot[ray]'") from error
    _connect(ray, shards)
    try:
        workers = _start(ray, build, shards)

        def run(
            batches: Batches, setting: Setting
        ) -> Iterator[tuple[int, list[list[TurnTranscript]]]]:
            with _told_in_one_line(ray):
                ray.get(workers[0].check.remote(batches, setting))
            results = ActorPool(workers).map_unordered(
                lambda worker, job: worker.run.remote(*job, setting), list(batches.items())
            )
            return _told_each(ray, results)

        yield run
    finally:
        ray.shutdown()


def _connect(ray: Any, shards: int) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    address = os.environ.get("RAY_ADDRESS")
    if not address or address == "local":
        ray.init(
            address="local",
            num_cpus=max(shards, os.cpu_count() or 1),
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            **quiet,
        )
        return
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"cannot reach the Ray cluster at RAY_ADDRESS={address[:80]}: {first_line(error)}",
            advice="unset RAY_ADDRESS to use this machine alone",
        ) from error


def _start(ray: Any, build: Callable[[], Engine], shards: int) -> list[Any]:
    """Workers that share the cluster's processors and, where it has any, its GPUs."""
    resources = ray.cluster_resources()
    processors = int(resources.get("CPU", 0)) // shards
    if processors == 0:
        raise RecipeError(
            f"{shards} shards are more than the cluster's {int(resources.get('CPU', 0))} processors"
        )
    worker = ray.remote(
        num_cpus=processors,
        num_gpus=min(1.0, resources.get("GPU", 0) / shards),
        max_restarts=RESTARTS,
        max_task_retries=RESTARTS,
    )(Worker)
    workers = [worker.remote(build) for _ in range(shards)]
    with _told_in_one_line(ray):
        ray.get([one.ready.remote() for one in workers])
    return workers


def _told_each(ray: Any, results: Iterator[Any]) -> Iterator[Any]:
    with _told_in_one_line(ray):
        yield from results


@contextmanager
def _told_in_one_line(ray: Any) -> Iterator[None]:
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, CrossfootError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise ModelError(
            f"a worker died {RESTARTS + 1} times: {first_line(error)}",
            advice="has the machine memory enough for every shard? what is finished is kept: run "
            "the same command again",
        ) from error
