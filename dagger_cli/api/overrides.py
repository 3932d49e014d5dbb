"""Overrides of the Python API, and conversion of their errors."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dagger_cli.core.errors import ConfigError


def words_of(overrides: Sequence[str] | str) -> list[str]:
    """Returns overrides as a list; a single text is split as by a shell."""
    return shlex.split(overrides) if isinstance(overrides, str) else list(overrides)


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Converts errors of Hydra and OmegaConf to ConfigError, with the message of the command."""
    from dagger_cli.cli.error_messages import explain

    try:
        yield
    except Exception as err:
        if type(err).__module__.startswith(("hydra.", "omegaconf.")):
            raise ConfigError(explain(err) or str(err)) from err
        raise
