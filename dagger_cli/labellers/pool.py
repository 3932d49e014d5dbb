"""Shares a batch out among workers; gives the pieces of a worker that has died to others."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.progress import labelled
from dagger_cli.core.types import Array, Observation
from dagger_cli.labellers.answering import Hello, Reply, raised
from dagger_cli.labellers.crew import Crew, Done, Event, Lost, Ready

# Seconds of a piece: short enough for even shares, long enough that the main process, which takes
# 0.3 ms (processes) to 1.3 ms (Ray) for each, keeps many workers busy.
PIECE, PIECE_A_WORKER = 0.2, 0.004
MOST_LOSSES = 3  # workers that one piece, or the loading of the expert, may cost
LONGEST_START = 300.0  # seconds until the first worker is ready
STEP = 1.0  # seconds of one wait
SILENT = 1.0  # seconds of a batch before its progress is reported


class Pool:
    """Workers and which of them are ready; they are started with the first batch."""

    def __init__(self, crew: Crew, identity: str) -> None:
        self._crew, self._identity = crew, identity
        self._ready: set[int] = set()
        self._started = False
        self._failed_starts = 0

    def answers(
        self, method: str, observation: Observation, seconds_a_row: float
    ) -> tuple[Array, float]:
        """Returns the answers to all rows, (n, ...), and the seconds that a row took.

        Raises the error of the first row for which the expert raises one.
        """
        cuts = cut(len(observation), self._crew.size, seconds_a_row)
        parts = [observation[a:b] for a, b in pairwise(cuts)]
        try:
            self._start()
            replies = _Batch(self, self._crew, method, parts).replies()
        except BaseException:  # also Ctrl-C: workers in an answer are of no use to a later batch
            self.close()
            raise
        values = np.concatenate([reply.values for reply in replies if reply.values is not None])
        return values, sum(reply.seconds for reply in replies) / len(observation)

    def close(self) -> None:
        """Ends the workers; may be called twice."""
        self._crew.close()
        self._ready.clear()
        self._started = False

    def _start(self) -> None:
        if not self._started:
            self._started = True
            for worker in range(self._crew.size):
                self._crew.start(worker)

    @property
    def ready(self) -> Sequence[int]:
        """The workers that have loaded their expert, in order."""
        return sorted(self._ready)

    def welcome(self, worker: int, hello: Hello) -> None:
        """Marks a worker as ready; raises an error where it has not the same expert."""
        if hello.error is not None:
            raise raised(hello.error)
        if hello.identity != self._identity:
            raise ExpertError(
                f"a worker on {hello.host} has loaded another expert than this process (their "
                "digests differ): every machine needs the same files and the same dagger-cli"
            )
        self._failed_starts = 0
        self._ready.add(worker)

    def replace(self, worker: int, why: str) -> None:
        """Starts a worker anew; raises ExpertError where none could load the expert."""
        if worker not in self._ready:
            self._failed_starts += 1
            if self._failed_starts == MOST_LOSSES:
                raise ExpertError(
                    f"{MOST_LOSSES} workers died while they loaded the expert ({why}): "
                    "labeller=local may show more"
                )
        self._ready.discard(worker)
        self._crew.start(worker)


class _Batch:
    """One batch: which pieces are to be given, were given to whom, and are answered."""

    def __init__(self, pool: Pool, crew: Crew, method: str, parts: Sequence[Observation]) -> None:
        self._pool, self._crew, self._method, self._parts = pool, crew, method, parts
        self._todo = deque(range(len(parts)))
        self._given: dict[int, list[int]] = defaultdict(list)  # by worker
        self._replies: dict[int, Reply] = {}
        self._losses: Counter[int] = Counter()
        self._failed: int | None = None  # the first piece whose reply is an error
        self._waited = 0.0
        self._begin = time.monotonic()

    def replies(self) -> list[Reply]:
        """Returns the replies in the order of the rows."""
        while self._todo or any(self._given.values()):
            self._give()
            events = self._crew.events(STEP)
            self._check_start(events)
            for event in events:
                self._take(event)
        if self._failed is not None:
            error = self._replies[self._failed].error
            assert error is not None
            raise raised(error)
        return [self._replies[piece] for piece in range(len(self._parts))]

    def _give(self) -> None:
        """Gives every worker a piece, then a second one where it may have that."""
        for level in range(self._crew.depth):
            for worker in self._pool.ready:
                if self._todo and len(self._given[worker]) == level:
                    piece = self._todo.popleft()
                    self._given[worker].append(piece)
                    self._crew.give(worker, piece, self._method, self._parts[piece])

    def _take(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._pool.welcome(event.worker, event.hello)
        elif isinstance(event, Done):
            self._given[event.worker].remove(event.piece)
            self._replies[event.piece] = event.reply
            if time.monotonic() - self._begin >= SILENT:
                labelled(len(self._replies), len(self._parts))
            if event.reply.error and (self._failed is None or event.piece < self._failed):
                self._failed = event.piece
                self._drop_later()
        else:
            self._lose(event)

    def _lose(self, event: Lost) -> None:
        pieces = self._given.pop(event.worker, [])
        self._losses.update(pieces[:1])  # the others were waiting
        if pieces and self._losses[pieces[0]] == MOST_LOSSES:
            raise ExpertError(
                f"{MOST_LOSSES} workers died over the same {len(self._parts[pieces[0]])} states "
                f"({event.why}): labeller=local may show more"
            )
        self._todo.extendleft(reversed(pieces))
        self._drop_later()
        self._pool.replace(event.worker, event.why)

    def _drop_later(self) -> None:
        """Drops pieces after a failed one; those before it may fail, too, and come first."""
        if self._failed is not None:
            self._todo = deque(piece for piece in self._todo if piece < self._failed)

    def _check_start(self, events: Sequence[Event]) -> None:
        self._waited = 0.0 if events or self._pool.ready else self._waited + STEP
        if self._waited >= LONGEST_START:
            raise ExpertError(
                f"no worker of labeller={self._crew.name} has started in {LONGEST_START:g} s: "
                "the cluster may have no free cores (fewer labeller.workers or labeller.cpus), or "
                "the expert takes too long to load"
            )


def cut(n: int, workers: int, seconds_a_row: float) -> list[int]:
    """Returns the edges of pieces of nearly equal size, as many for each worker if n allows it."""
    length = max(PIECE, PIECE_A_WORKER * workers)
    rows = max(1, int(length / max(seconds_a_row, 1e-9)))
    pieces = min(n, ceil(n / rows / workers) * workers)
    edges: list[int] = np.linspace(0, n, pieces + 1).astype(int).tolist()
    return edges
