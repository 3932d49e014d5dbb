"""`labeller=ray`: actors of Ray, on one or many machines, each with an expert of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

from dagger_cli.core.types import Expert, Observation
from dagger_cli.core.values import at_least, in_range
from dagger_cli.labellers.answering import Answerer
from dagger_cli.labellers.crew import Done, Event, Lost, Ready
from dagger_cli.labellers.distributed import distributed
from dagger_cli.labellers.interface import Labelled, Recipe
from dagger_cli.utils.ray_engine import connected

WORTH = 0.01  # seconds of answers below which a batch stays here; a call takes 1 ms


@dataclass(frozen=True)
class RayActors:
    """`address` see `connected`; `workers` None: as many actors of `cpus` cores as fit."""

    address: str | None
    workers: int | None
    cpus: float

    def __post_init__(self) -> None:
        if self.workers is not None:
            at_least("labeller.workers", self.workers, 1)
        in_range("labeller.cpus", self.cpus, "(0, inf)", 1)

    def labelled(self, expert: Expert, load: Callable[[], Expert]) -> Labelled:
        """Returns an expert whose larger batches are answered by the actors."""
        return distributed("ray", expert, lambda: self._crew(load), WORTH)

    def _crew(self, load: Callable[[], Expert]) -> RayCrew:
        needed = None if self.workers is None else ceil(self.workers * self.cpus)
        ray = connected(self.address, needed)
        cores = float(ray.cluster_resources().get("CPU", 1))
        size = max(1, int(cores / self.cpus)) if self.workers is None else self.workers
        return RayCrew(ray, Recipe.here(load, max(1, int(self.cpus))), size, self.cpus)


class RayCrew:
    """Actors, and the calls that have not returned."""

    name, depth = "ray", 2  # a second piece waits at the actor, so that it is never idle

    def __init__(self, ray: Any, recipe: Recipe, size: int, cpus: float) -> None:
        self.size = size
        self._ray, self._recipe = ray, recipe
        self._kind = ray.remote(num_cpus=cpus, max_restarts=0)(Answerer)
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, tuple[int, int | None]] = {}  # worker, and piece: None for hello

    def start(self, worker: int) -> None:
        actor = self._kind.remote()
        self._actors[worker] = actor
        self._calls[actor.hello.remote(self._recipe)] = (worker, None)

    def give(self, worker: int, piece: int, method: str, observation: Observation) -> None:
        call = self._actors[worker].answer.remote(method, observation)
        self._calls[call] = (worker, piece)

    def events(self, seconds: float) -> list[Event]:
        wait = self._ray.wait
        calls = list(self._calls)
        if not wait(calls, num_returns=1, timeout=seconds, fetch_local=False)[0]:
            return []
        over, _ = wait(calls, num_returns=len(calls), timeout=0, fetch_local=False)
        return [self._event(call) for call in over if call in self._calls]

    def close(self) -> None:
        for actor in self._actors.values():
            with suppress(Exception):  # the cluster may be gone
                self._ray.kill(actor)
        self._actors.clear()
        self._calls.clear()

    def _event(self, call: Any) -> Event:
        worker, piece = self._calls.pop(call)
        try:
            message = self._ray.get(call)
        except self._ray.exceptions.RayError as err:
            return Lost(worker, self._buried(worker, err))
        return Ready(worker, message) if piece is None else Done(worker, piece, message)

    def _buried(self, worker: int, err: Exception) -> str:
        """Removes an actor that has died, and its other calls; returns why it has died."""
        with suppress(Exception):
            self._ray.kill(self._actors.pop(worker))
        self._calls = {c: about for c, about in self._calls.items() if about[0] != worker}
        lines = [line.strip() for line in str(err).splitlines() if line.strip()]
        return f"Ray says: {lines[0]}" if lines else type(err).__name__
