"""Networks, losses and optimizers defined by the user."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.policies.loss_gradients import Loss
from dagger_cli.policies.optimizers import Entry


def own_loss(make: Callable[..., Any]) -> Loss:
    """Returns a loss (outputs, targets) -> scalar, of a function or a class like torch.nn.L1Loss.

    The loss raises ConfigError where the user's code fails or does not return a scalar tensor.
    """
    is_class = inspect.isclass(make.func if isinstance(make, partial) else make)
    function = make() if is_class else make

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        try:
            value = function(outputs, targets)
        except Exception as err:  # the user's code may raise anything
            raise ConfigError(
                f"policy.loss failed on outputs {_words(outputs)} and targets {_words(targets)} "
                f"({type(err).__name__}: {' '.join(str(err).split())[:200]})"
            ) from err
        if not isinstance(value, Tensor) or value.numel() != 1:
            given = _words(value) if isinstance(value, Tensor) else f"a {type(value).__name__}"
            raise ConfigError(f"policy.loss must return one number as a tensor, got {given}")
        return value.reshape(())

    return loss


def _words(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"


def detach_results(network: nn.Module) -> None:
    """Detaches the tensors that layers have kept as attributes in a fit, which torch cannot copy.

    The old torch.nn.utils.spectral_norm and weight_norm keep their weight so.
    """
    for module in network.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, Tensor) and not value.is_leaf:
                setattr(module, name, value.detach())


def copied(network: nn.Module) -> nn.Module:
    """Returns a copy of a network; raises ConfigError where the user's cannot be copied."""
    try:
        return copy.deepcopy(network)
    except Exception as err:  # the user's code may raise anything
        raise ConfigError(
            f"policy.network cannot be copied for the next fit ({type(err).__name__}): it must "
            "keep no results of forward, or detached ones; or use policy.warm_start=false"
        ) from err


class OwnOptimizer:
    """A torch.optim.Optimizer with its state saved as tensors, one dict per parameter."""

    def __init__(
        self,
        make: Callable[..., Any],
        parameters: Sequence[Tensor],
        past: Sequence[Entry],
        learning_rate: float,
    ) -> None:
        self._parameters = list(parameters)
        try:
            self._optimizer = make(self._parameters, lr=learning_rate)
        except Exception as err:  # the user's code may raise anything
            raise ConfigError(f"policy.optimizer cannot be created ({_sentence(err)})") from err
        if not isinstance(self._optimizer, torch.optim.Optimizer):
            raise ConfigError(
                "policy.optimizer must be a torch.optim.Optimizer, got a "
                f"{type(self._optimizer).__name__}"
            )
        fused = any(group.get("fused") for group in self._optimizer.param_groups)
        for parameter, entry in zip(self._parameters, past, strict=False):
            if fused and any(t.numel() != 1 and t.shape != parameter.shape for t in entry.values()):
                # Fused kernels read and write beyond a smaller tensor.
                raise CheckpointError(
                    "the optimizer state in this checkpoint does not fit its network: the files do "
                    "not belong together"
                )
            if entry:
                self._optimizer.state[parameter] = {n: t.clone() for n, t in entry.items()}
        self._settings = self._groups()

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Updates the parameters in place."""
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        try:
            self._optimizer.step()
        except Exception as err:
            raise ConfigError(f"policy.optimizer failed in a step ({_sentence(err)})") from err

    def past(self) -> tuple[Entry, ...]:
        """Returns the state for a warm start, one entry per parameter.

        Raises ConfigError where the state is not only tensors, as checkpoints hold no pickles.
        """
        for parameter in self._parameters:
            parameter.grad = None
        name = type(self._optimizer).__name__
        if self._groups() != self._settings:
            raise ConfigError(
                f"policy.optimizer={name} changes its own settings during a fit, but a checkpoint "
                "stores only the tensors of its state; use another optimizer"
            )
        entries = []
        for parameter in self._parameters:
            state = self._optimizer.state.get(parameter, {})
            kept = {key: value for key, value in state.items() if value is not None}
            for key, value in kept.items():
                if not isinstance(value, Tensor) or not str(key).isidentifier():
                    raise ConfigError(
                        f"policy.optimizer={name} has '{key}' of type {type(value).__name__} in "
                        "its state, but a checkpoint stores only tensors; use another optimizer"
                    )
            entries.append(kept)
        return tuple(entries)

    def _groups(self) -> list[dict[str, Any]]:
        return [
            {key: value for key, value in group.items() if key not in ("params", "lr")}
            for group in self._optimizer.param_groups
        ]


def _sentence(err: Exception) -> str:
    return f"{type(err).__name__}: {' '.join(str(err).split())[:200]}"
