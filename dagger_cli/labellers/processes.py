"""`labeller=processes`: worker processes on this machine, each with an expert of its own."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from dagger_cli.core.types import Expert, Observation
from dagger_cli.core.values import at_least
from dagger_cli.labellers.answering import Answerer
from dagger_cli.labellers.crew import Done, Event, Lost, Ready
from dagger_cli.labellers.distributed import distributed
from dagger_cli.labellers.interface import Labelled, Recipe
from dagger_cli.utils.processes import context
from dagger_cli.utils.system import usable_cores

WORTH = (
    0.002  # seconds of answers below which a batch stays here: a signal there and back is 0.2 ms
)
PATIENCE = 0.5  # seconds for the workers to exit by themselves


@dataclass(frozen=True)
class Processes:
    """`workers` None: as many as this process may use cores."""

    workers: int | None

    def __post_init__(self) -> None:
        if self.workers is not None:
            at_least("labeller.workers", self.workers, 1)

    def labelled(self, expert: Expert, load: Callable[[], Expert]) -> Labelled:
        """Returns an expert whose larger batches are answered by the workers."""
        size = usable_cores() if self.workers is None else self.workers
        return distributed("processes", expert, lambda: ProcessCrew(Recipe.here(load), size), WORTH)


class ProcessCrew:
    """Workers with a pipe each, which tells either side that the other has ended."""

    name, depth = "processes", 1  # a second piece in a full pipe would block this process

    def __init__(self, recipe: Recipe, size: int) -> None:
        self.size = size
        self._recipe = recipe
        self._pipes: dict[int, Connection] = {}
        self._processes: dict[int, Any] = {}

    def start(self, worker: int) -> None:
        here, there = multiprocessing.Pipe()
        process = context().Process(  # type: ignore[attr-defined]  # typeshed: only on subclasses
            target=serve, args=(there, self._recipe), daemon=True
        )
        process.start()
        there.close()  # otherwise the worker's exit would not close the pipe
        self._pipes[worker], self._processes[worker] = here, process

    def give(self, worker: int, piece: int, method: str, observation: Observation) -> None:
        with suppress(OSError):  # it has died: the next event says so
            self._pipes[worker].send((piece, method, observation))

    def events(self, seconds: float) -> list[Event]:
        workers = {id(pipe): worker for worker, pipe in self._pipes.items()}
        ready = wait(list(self._pipes.values()), seconds)
        return [self._event(workers[id(pipe)]) for pipe in ready]

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        deadline = time.monotonic() + PATIENCE
        for process in self._processes.values():
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():  # in an answer
                process.kill()
                process.join()
            process.close()
        self._pipes.clear()
        self._processes.clear()

    def _event(self, worker: int) -> Event:
        try:
            piece, message = self._pipes[worker].recv()
        except (EOFError, OSError):
            return Lost(worker, self._buried(worker))
        return Ready(worker, message) if piece is None else Done(worker, piece, message)

    def _buried(self, worker: int) -> str:
        """Removes a worker that has died; returns why, as far as it is known."""
        self._pipes.pop(worker).close()
        process = self._processes.pop(worker)
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        return f"exit code {code}; -9 means killed, often for lack of memory"


def serve(pipe: Connection, recipe: Recipe) -> None:
    """Runs a worker until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipe
    worker = Answerer()
    with suppress(EOFError, OSError):
        pipe.send((None, worker.hello(recipe)))
        while True:
            piece, method, observation = pipe.recv()
            pipe.send((piece, worker.answer(method, observation)))
