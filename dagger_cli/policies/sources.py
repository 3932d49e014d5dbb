"""Factories of the config group `policy`: create a learner for given spaces from its keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from dagger_cli.core.types import Space
from dagger_cli.networks.modules import cnn, mlp
from dagger_cli.networks.prepared import Prepared, check_outputs, prepared
from dagger_cli.policies.chunk_head import with_chunk
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.ranges import check_ranges
from dagger_cli.policies.torch_learner import TorchLearner

_TORCHS_OWN = torch.get_num_threads()  # torch's default, read before it is changed


def mlp_learner(
    observations: Space,
    actions: Space,
    *,
    sizes: Sequence[int],
    activation: str,
    loss: str | Callable[..., Any],
    threads: int | None,
    one_hot: bool = False,  # of configs saved before there was this key
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of a fully connected network, linear if `sizes` is empty.

    `one_hot`: one input per choice of Discrete and MultiDiscrete observations.

    `fit` is passed on to `TorchLearner`. Raises ConfigError for invalid values.
    """
    use_threads(threads)
    head = with_chunk(make_head(actions, loss), chunk, chunk_decay)

    def make() -> nn.Sequential:
        return mlp(observations, head.outputs, sizes, activation, one_hot=one_hot)

    with torch.device("meta"):  # raises early if the network cannot be built; uses no memory
        make()
    return TorchLearner(make, head, **fit)


def cnn_learner(
    observations: Space,
    actions: Space,
    *,
    loss: str | Callable[..., Any],
    threads: int | None,
    channels: Sequence[int] = (32, 64, 64),  # of configs saved before there were these keys
    units: int = 512,
    normalize: bool = False,
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of the Nature CNN; the network scales or standardizes images itself.

    `fit` is passed on to `TorchLearner`. Raises ConfigError where observations are not images, or
    the sizes not positive.
    """
    use_threads(threads)
    head = with_chunk(make_head(actions, loss), chunk, chunk_decay)

    def make() -> nn.Sequential:
        return cnn(observations, head.outputs, channels, units, normalize=normalize)

    with torch.device("meta"):
        make()
    return TorchLearner(make, head, normalize=normalize, **fit)


def torch_learner(
    observations: Space,
    actions: Space,
    *,
    network: Callable[..., nn.Module],
    loss: str | Callable[..., Any],
    normalize: bool,
    threads: int | None,
    one_hot: bool = False,  # as in `mlp_learner`
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of any torch.nn.Module, made by `network(inputs=..., outputs=...)`.

    See networks/prepared.py for the arguments. Raises ConfigError where the module is unsuitable.
    """
    use_threads(threads)
    head = with_chunk(make_head(actions, loss), chunk, chunk_decay)

    def make() -> Prepared:
        return prepared(observations, head.outputs, network, normalize=normalize, one_hot=one_hot)

    learner = TorchLearner(make, head, normalize=normalize, draws_weights=True, **fit)
    check_outputs(make(), observations, head.outputs)
    return learner


def use_threads(threads: int | None) -> None:
    """Sets the number of torch threads; None restores torch's default of this process."""
    check_ranges({"threads": threads})
    torch.set_num_threads(threads or _TORCHS_OWN)
