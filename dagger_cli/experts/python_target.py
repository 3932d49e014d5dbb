"""Imports what `expert.target` names, and refuses what is not a function of an observation."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from typing import Any

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.utils.imports import import_object

STEP = "episode_step"  # a function that has this parameter is told the step of the episode

Function = Callable[..., Any]


def check_target(target: str) -> None:
    """Raises ConfigError for a target that names no object of a module."""
    file = re.fullmatch(r"(?:.*[/\\])?(\w+)\.py[:.](\w[\w.]*)", target)
    if file is not None:
        raise ConfigError(
            f"expert.target names a module, not a file: write expert.target={file[1]}:{file[2]} "
            "and start in the folder of the file"
        )
    module, _, name = target.rpartition(":" if ":" in target else ".")
    if not module or not all(name.split(".")):
        raise ConfigError(
            f"expert.target must look like my_pkg.my_fn or my_pkg:my_fn, got '{target}'"
        )


def imported(target: str) -> Function:
    """Returns the function that `package.name` or `package:object.method` names.

    Raises ExpertError where it cannot be imported or does not take one observation.
    """
    try:
        found = import_object(target)
    except (Exception, SystemExit) as err:  # an import may raise anything
        reason = f"{type(err).__name__}: {err}"
        raise ExpertError(f"cannot import expert.target '{target}' ({reason})") from err
    problem = _problem(target, found)
    if problem:
        raise ExpertError(f"expert.target '{target}' {problem}")
    function: Function = found
    return function


def _problem(target: str, found: Any) -> str:
    """Returns why `found` is no function of an observation; empty where it may be one."""
    if inspect.isclass(found):
        return "is a class: name a function, or a method of an object, as my_pkg:my_object.act"
    if not callable(found):
        method = hasattr(found, "predict")
        hint = f"its method, {target}.predict" if method else "a function"
        return f"is not callable; name {hint}"
    kinds = {
        "a coroutine (async def)": inspect.iscoroutinefunction,
        "a generator (it yields)": lambda f: (
            inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f)
        ),
    }
    for kind, is_one in kinds.items():
        if is_one(found) or is_one(getattr(found, "__call__", None)):  # noqa: B004
            return f"is {kind}: name an ordinary function that returns the action"
    try:  # only of functions and methods: of other objects it may be wrong
        signature = inspect.signature(found if inspect.isroutine(found) else abs)
    except (TypeError, ValueError):  # functions in C may have none
        return ""
    try:
        signature.bind(None, **({STEP: 0} if STEP in signature.parameters else {}))
    except TypeError:
        owner = " (a method is named of an object, not of its class)" * ("self" in str(signature))
        return f"must take one observation, but its parameters are {signature}{owner}"
    return ""


def takes_step(function: Function) -> bool:
    """Returns whether the function has the parameter `episode_step`."""
    try:
        return STEP in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def digest(target: str, function: Function) -> str:
    """Returns the sha256 of the source, if available, so that a run detects a changed function."""
    for code in (function, type(function)):
        try:
            text = inspect.getsource(code)
        except (OSError, TypeError):
            continue
        return hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(target.encode()).hexdigest()
