"""The worker's side: loads the expert once, then answers pieces of batches."""

from __future__ import annotations

import os
import pickle
import platform
import sys
import time
import traceback
import warnings
from contextlib import suppress
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Expert, Observation
from dagger_cli.labellers.interface import Recipe
from dagger_cli.utils.system import limit_threads, use_cores


class Hello(NamedTuple):
    """A worker's first message: the digest of its expert and its machine, or a pickled error."""

    identity: str
    host: str
    error: bytes | None = None


class Reply(NamedTuple):
    """Answers to n rows, (n, ...), and the seconds they took; or a pickled error."""

    values: Array | None
    seconds: float
    error: bytes | None = None


class Answerer:
    """The expert of one worker; also the class of Ray's actors."""

    def __init__(self) -> None:
        self._expert: Any = None

    def hello(self, recipe: Recipe) -> Hello:
        """Loads the expert."""
        warnings.simplefilter("ignore")  # the main process shows them, once
        with suppress(OSError):  # another machine may not have this folder
            os.chdir(recipe.folder)
        sys.path += [place for place in recipe.path if place not in sys.path]
        use_cores(recipe.cores)
        limit_threads(recipe.cores)
        try:
            self._expert = recipe.load()
        except (Exception, SystemExit) as err:
            return Hello("", platform.node(), _pickled(err))
        return Hello(self._expert.card.identity, platform.node())

    def answer(self, method: str, observation: Observation) -> Reply:
        """Returns what `method` (act or unsafe_actions) says about these rows."""
        begin = time.perf_counter()
        try:
            values, error = _answers(self._expert, method, observation), None
        except (Exception, SystemExit) as err:  # the user's code may raise anything
            values, error = None, _pickled(err)
        return Reply(values, time.perf_counter() - begin, error)


def _answers(expert: Expert, method: str, observation: Observation) -> Array:
    if method == "act":
        return np.asarray(expert.act(observation, cast(Generator, NoRandomness())).actions)
    return np.asarray(getattr(expert, method)(observation))


class NoRandomness:
    """Stands for the random stream: raises ExpertError where an expert draws from it.

    Draws in several processes could not equal those of one process.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by Python itself
            raise AttributeError(name)
        raise ExpertError(
            "this expert draws random numbers, which have an order in one process alone: use "
            "labeller=local"
        )


def _pickled(err: BaseException) -> bytes:
    """Returns the error with its traceback as the cause; as text where it cannot be pickled."""
    text = "".join(traceback.format_exception(err))
    try:
        data = pickle.dumps(ExceptionWithTraceback(err, err.__traceback__))
        pickle.loads(data)
    except Exception:  # classes of the user may fail in many ways
        return pickle.dumps(RuntimeError(f"an expert's worker failed:\n{text}"))
    return data


def raised(error: bytes) -> BaseException:
    """Returns the error that a worker has sent."""
    err = pickle.loads(error)
    assert isinstance(err, BaseException)
    return err
