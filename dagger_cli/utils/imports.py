"""Modules that the user names."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType


def import_named(module: str) -> ModuleType:
    """Also one in the current folder, as `python -m` finds it; raises whatever importing raises."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    return importlib.import_module(module)
