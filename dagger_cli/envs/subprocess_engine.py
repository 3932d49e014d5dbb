"""Environments in worker processes: arrays in shared memory, pipes for signals only.

This process steps its share of the slots too, as its core would be idle otherwise, and one signal
less is needed. A closed pipe tells either side that the other has ended: a worker exits, and this
process raises EnvError.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn, Protocol

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Space
from dagger_cli.envs.buffers import Buffers, Slots, map_buffers
from dagger_cli.utils.processes import context

RESET, STEP, DONE = b"r", b"s", b""
LONGEST = 300.0  # seconds for a worker's answer without env.step_timeout
FILES_A_WORKER = 5  # open files; four are its pipes
PATIENCE = 2.0  # seconds for a worker to exit by itself


class Source(Protocol):
    """What a worker needs to create its environments; it is pickled."""

    @property
    def id(self) -> str: ...
    @property
    def observation_space(self) -> Space: ...
    @property
    def action_space(self) -> Space: ...
    @property
    def renewed(self) -> bool: ...
    @property
    def step_timeout(self) -> float | None: ...
    def open_one(self, render_mode: str | None) -> Any: ...


def shared_memory(n_bytes: int) -> Any:
    """Allocates zeroed memory shared with the workers, freed with its last user."""
    return context().RawArray("b", n_bytes)


class Workers:
    """This process and `n_workers` others, each with a contiguous range of slots."""

    def __init__(self, source: Source, memory: Any, buffers: Buffers, n_workers: int) -> None:
        self._id, self._limit = source.id, source.step_timeout
        self._active = buffers.active
        edges = np.linspace(0, len(self._active), n_workers + 2).astype(int).tolist()
        here, *self._rows = [slice(a, b) for a, b in itertools.pairwise(edges)]
        self._here = Slots(
            lambda: source.open_one(None),
            source.renewed,
            source.observation_space,
            buffers.rows(here),
            source.step_timeout,
        )
        _need_files(n_workers)
        self._commands: list[Connection] = []
        self._answers: list[Connection] = []
        self._processes: list[Any] = []
        try:
            for rows in self._rows:
                self._start(source, memory, rows)
            for worker in range(n_workers):
                self._wait_for(worker)
        except BaseException:
            self.close()
            raise

    def reset(self) -> None:
        """Starts an episode in each active slot from its seed."""
        self._command(RESET, self._here.reset)

    def step(self) -> None:
        """Steps each active slot once."""
        self._command(STEP, self._here.step)

    def close(self) -> None:
        """Ends the workers, by force if necessary; may be called twice."""
        self._here.close()
        for pipe in (*self._commands, *self._answers):
            pipe.close()
        self._commands.clear()
        self._answers.clear()
        deadline = time.monotonic() + PATIENCE
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in self._processes:
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._processes.clear()

    def _start(self, source: Source, memory: Any, rows: slice) -> None:
        # One-way pipes: a two-way one is a socket, at several times the cost of a signal.
        commands, to_worker = multiprocessing.Pipe(duplex=False)
        from_worker, answers = multiprocessing.Pipe(duplex=False)
        self._commands.append(to_worker)
        self._answers.append(from_worker)
        process = context().Process(  # type: ignore[attr-defined]  # typeshed: only on subclasses
            target=_serve,
            args=(commands, answers, source, memory, len(self._active), rows),
            daemon=True,
        )
        process.start()
        self._processes.append(process)
        commands.close()
        answers.close()  # otherwise a worker's exit would not close its pipe

    def _command(self, command: bytes, do_here: Callable[[], None]) -> None:
        if not self._processes:
            raise EnvError(f"the workers of env '{self._id}' are closed")
        busy = [w for w, rows in enumerate(self._rows) if self._active[rows].any()]
        try:
            for worker in busy:
                self._send(worker, command)
            do_here()
            for worker in busy:
                self._wait_for(worker)
        except BaseException:
            # Some slots may have been stepped and others not, also after Ctrl-C: unusable.
            self.close()
            raise

    def _send(self, worker: int, command: bytes) -> None:
        try:
            self._commands[worker].send_bytes(command)
        except OSError as err:
            self._died(worker, err)

    def _wait_for(self, worker: int) -> None:
        seconds = LONGEST if self._limit is None else self._limit
        try:
            if not _ready(self._answers[worker], seconds):
                raise EnvError(
                    f"worker {worker} of env '{self._id}' has not answered for {seconds:g} s and "
                    "is ended: raise env.step_timeout, or see with env.workers=0 where it hangs"
                )
            answer = self._answers[worker].recv_bytes()
        except (EOFError, OSError) as err:
            self._died(worker, err)
        if answer != DONE:
            raise EnvError(answer.decode())

    def _died(self, worker: int, err: Exception) -> NoReturn:
        self._processes[worker].join(PATIENCE)
        code = self._processes[worker].exitcode
        raise EnvError(
            f"worker {worker} of env '{self._id}' died (exit code {code}; -9 means killed, often "
            "for lack of memory); env.workers=0 may show more"
        ) from err


def _need_files(n_workers: int) -> None:
    """Raises EnvError where the workers' pipes are more open files than this process may have.

    Found out beforehand, as a fork server that cannot be reached prints a traceback. The soft limit
    (256 on macOS) is raised where that is allowed.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 32
    needed = open_now + FILES_A_WORKER * (n_workers + 1)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard == resource.RLIM_INFINITY or needed <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return
    raise EnvError(
        f"{n_workers} worker processes need some {needed} open files, but {hard} are allowed: "
        f"lower env.workers, or raise the limit (ulimit -n {needed})"
    )


def _ready(connection: Connection, seconds: float) -> bool:
    """Waits for an answer; Connection.poll, which does the same, takes 20 us."""
    if not hasattr(select, "poll"):  # Windows
        return connection.poll(seconds)
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    return bool(poll.poll(1000 * seconds))


def _serve(
    commands: Connection,
    answers: Connection,
    source: Source,
    memory: Any,
    n: int,
    rows: slice,
) -> None:
    """Runs a worker: receives commands, sends an empty reply or an error message."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipes
    warnings.simplefilter("ignore")  # the parent shows them, once
    buffers = map_buffers(memory, source.observation_space, source.action_space, n).rows(rows)
    try:
        slots = Slots(
            lambda: source.open_one(None),
            source.renewed,
            source.observation_space,
            buffers,
        )
    except EnvError as err:
        answers.send_bytes(str(err).encode())
        return
    doing = {RESET: slots.reset, STEP: slots.step}
    try:
        answers.send_bytes(DONE)
        while True:
            answers.send_bytes(_answer(doing[commands.recv_bytes()]))
    except (EOFError, OSError):
        slots.close()


def _answer(command: Callable[[], None]) -> bytes:
    try:
        command()
    except EnvError as err:
        return str(err).encode()
    return DONE
