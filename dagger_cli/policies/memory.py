"""Factories of policies with a memory: of the last observations, which the view stacks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import History, Space
from dagger_cli.core.values import at_most
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.recurrent import Recurrent
from dagger_cli.policies.chunk_head import with_chunk
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.ranges import check_ranges
from dagger_cli.policies.sources import mlp_learner, use_threads
from dagger_cli.policies.torch_learner import TorchLearner

MOST_UNITS = 8192


def window_learner(
    observations: Space,
    actions: Space,
    *,
    past: History,
    window: int,
    sizes: Sequence[int],
    activation: str,
    loss: str | Callable[..., Any],
    threads: int | None,
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of a fully connected network over the last `window` observations.

    `fit` is passed on to `TorchLearner`. Raises ConfigError for invalid values.
    """
    check_window(observations, past, window)
    fit |= {"chunk": chunk, "chunk_decay": chunk_decay}
    network: dict[str, Any] = {"sizes": sizes, "activation": activation, "loss": loss}
    return mlp_learner(observations, actions, threads=threads, **network, **fit)


def gru_learner(
    observations: Space,
    actions: Space,
    *,
    past: History,
    window: int,
    units: int,
    loss: str | Callable[..., Any],
    threads: int | None,
    sizes: Sequence[int] | None = None,  # of configs saved before there was this key
    activation: str = "tanh",
    carry: bool = False,  # of configs saved before there were these keys
    truncate: int = 16,
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of a recurrent network, which carries its state with `carry`.

    Otherwise each action is computed from the last `window` observations alone. `sizes` and
    `activation` are of the layers after the recurrent one, see `Carried` and `Recurrent`; `fit` is
    passed on to `TorchLearner`. Raises ConfigError for invalid values.
    """
    use_threads(threads)
    check_window(observations, past, window, least=1 if carry else 2)
    check_ranges({"units": units, "truncate": truncate})
    at_most("policy.units", units, MOST_UNITS)
    head = with_chunk(make_head(actions, loss), chunk, chunk_decay)
    if carry:
        parts: tuple[Any, ...] = (observations.size, units, head.outputs, sizes or (), activation)
        return TorchLearner(lambda: Carried(*parts), head, truncate=truncate, **fit)
    layers: tuple[Any, ...] = (sizes, activation)
    return TorchLearner(lambda: Recurrent(past, units, head.outputs, *layers), head, **fit)


def check_window(observations: Space, past: History, window: int, least: int = 2) -> None:
    """Raises ConfigError unless observations are stacks of `window` flat ones."""
    check_ranges({"window": window, "carry": least == 1})
    if len(observations.shape) != 1:
        raise ConfigError(
            f"policy=window and gru are for flat observations, but theirs have the shape "
            f"{observations.shape}: use policy=cnn with view.stack"
        )
    if past.frames != window:
        raise ConfigError(
            f"policy.window={window} observations are those that the view stacks, but view.stack="
            f"{past.frames}: leave view.stack out, or set both to one number"
        )
