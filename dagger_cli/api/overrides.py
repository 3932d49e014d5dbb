"""Overrides given to the API, and the errors they end in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dagger_cli.core.errors import ConfigError


def words_of(overrides: Sequence[str] | str) -> list[str]:
    """Returns overrides as words; one text is split as a shell does it."""
    return shlex.split(overrides) if isinstance(overrides, str) else list(overrides)


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Raises errors of Hydra and OmegaConf as ConfigError, with the command's sentence."""
    from dagger_cli.cli.error_messages import explain

    try:
        yield
    except Exception as err:
        if type(err).__module__.startswith(("hydra.", "omegaconf.")):
            raise ConfigError(explain(err) or str(err)) from err
        raise
