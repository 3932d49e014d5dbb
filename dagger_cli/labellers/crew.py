"""The interface of workers, processes or actors, and what they report."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from dagger_cli.core.types import Observation
from dagger_cli.labellers.answering import Hello, Reply


class Ready(NamedTuple):
    """A worker has loaded its expert, or failed to."""

    worker: int
    hello: Hello


class Done(NamedTuple):
    """A worker has answered a piece."""

    worker: int
    piece: int
    reply: Reply


class Lost(NamedTuple):
    """A worker has died, `why` in words; the pieces that it was given are not answered."""

    worker: int
    why: str


Event = Ready | Done | Lost


class Crew(Protocol):
    """Workers 0 to `size` - 1."""

    @property
    def name(self) -> str:
        """The option, as in labeller=processes."""
        ...

    @property
    def size(self) -> int:
        """Number of workers."""
        ...

    @property
    def depth(self) -> int:
        """How many pieces a worker may be given at once."""
        ...

    def start(self, worker: int) -> None:
        """Starts a worker, also in place of one that was lost; `Ready` or `Lost` follows."""
        ...

    def give(self, worker: int, piece: int, method: str, observation: Observation) -> None:
        """Gives a worker a piece to answer; `Done` or `Lost` follows."""
        ...

    def events(self, seconds: float) -> list[Event]:
        """Waits for an event, at most so long, and returns those that have come."""
        ...

    def close(self) -> None:
        """Ends all workers; may be called twice."""
        ...
