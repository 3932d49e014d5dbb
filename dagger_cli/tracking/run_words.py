"""The words that a run was started with, kept in its folder."""

from __future__ import annotations

import json
from pathlib import Path

from dagger_cli.tracking.run_paths import VERSIONS
from dagger_cli.utils.files import read_bytes

WORDS = "words"  # the key in versions.json
_MAX_BYTES = 2**20


def run_words(run: Path) -> tuple[str, ...]:
    """Returns the overrides of a run's command line, empty where they are not known."""
    try:
        words = json.loads(read_bytes(run / VERSIONS, _MAX_BYTES)).get(WORDS)
    except (OSError, ValueError, AttributeError, RecursionError):
        return ()
    return tuple(map(str, words)) if isinstance(words, list) else ()
