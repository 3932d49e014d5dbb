"""Imports modules and objects that the user names."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def import_named(module: str) -> ModuleType:
    """Imports a module, of the current folder too, as `python -m` does.

    The current folder comes last, so it cannot shadow an installed module. Raises whatever the
    module raises while it is imported.
    """
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    return importlib.import_module(module)


def import_object(path: str) -> Any:
    """Imports `package.module.Name`, `package.module:Name` or a method, `module:Class.method`.

    Raises ImportError where no such module or name exists, and whatever an import raises.
    """
    module, colon, inner = path.partition(":")
    if colon:
        return _attribute(import_named(module), inner.split("."), path)
    parts = path.split(".")
    for n in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:n])
        try:
            found = import_named(name)
        except ModuleNotFoundError as err:
            # The name may be of a class in a module further up, not of a module that is missing.
            if err.name is None or not f"{name}.".startswith(f"{err.name}.") or n == 1:
                raise
            continue
        return _attribute(found, parts[n:], path)
    raise ImportError(f"'{path}' names no module: write package.module.Name")


def _attribute(owner: Any, names: list[str], path: str) -> Any:
    for name in names:
        try:
            owner = getattr(owner, name)
        except AttributeError as err:
            raise ImportError(f"{_described(owner)} has no '{name}'{shadowed(owner)}") from err
    return owner


def _described(owner: Any) -> str:
    if not isinstance(owner, ModuleType):
        return repr(owner)
    file = getattr(owner, "__file__", None)
    return f"module '{owner.__name__}'" + (f" ({file})" if file else "")


def shadowed(found: Any) -> str:
    """Returns words on a file of the current folder whose name an installed module has; or ''."""
    if not isinstance(found, ModuleType):
        return ""
    package = found.__name__.partition(".")[0]
    places = (Path.cwd() / f"{package}.py", Path.cwd() / package / "__init__.py")
    own = next((place for place in places if place.is_file()), None)
    file = getattr(sys.modules.get(package, found), "__file__", None)
    if own is None or (file is not None and own.samefile(file)):
        return ""
    return f"; an installed module hides {own.relative_to(Path.cwd())}: give your file another name"
