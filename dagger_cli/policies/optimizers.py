"""Adam, AdamW and SGD with torch's fused kernels, called directly.

The classes of torch.optim call the same kernels with bit-identical results, but creating the first
one loads torch's compiler (2 s), and each step adds 50 us, which matters for small networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dagger_cli.core.errors import ConfigError
from dagger_cli.networks.gradients import in_layout_of

# Optimizer state of one parameter, with the names of torch.optim.
Entry = dict[str, Tensor]

BETAS = (0.9, 0.999)  # torch's defaults, those of Kingma & Ba 2015
EPSILON = 1e-8
MOMENTS = ("exp_avg", "exp_avg_sq")


def fits(entry: Entry, parameter: Tensor) -> bool:
    """Returns whether this is the state of Adam for a parameter, or none.

    The fused kernels read and write all elements of a parameter in every tensor without a check.
    """
    if not entry:
        return True
    if set(entry) != {"step", *MOMENTS}:
        return False
    step, *moments = entry["step"], entry["exp_avg"], entry["exp_avg_sq"]
    if step.numel() != 1 or step.dtype != torch.float32:
        return False
    return all(t.shape == parameter.shape and t.dtype == parameter.dtype for t in moments)


class Adam:
    """Adam (Kingma & Ba 2015); `decoupled`: weight decay of AdamW (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        parameters: Sequence[Tensor],
        past: Sequence[Entry],
        weight_decay: float,
        *,
        decoupled: bool,
    ) -> None:
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._kernel = _kernel("_fused_adamw_" if decoupled else "_fused_adam_")
        entries = [
            {name: t.clone() for name, t in entry.items()} or _no_past(p)
            for p, entry in zip(parameters, past or [{}] * len(parameters), strict=True)
        ]
        # Saved moments may have another layout than the parameters.
        self._means, self._squares = (
            [in_layout_of(p, e[name]) for p, e in zip(parameters, entries, strict=True)]
            for name in MOMENTS
        )
        # Counters in one tensor, as one call per counter would cost as much as the update.
        self._counts = torch.stack([entry["step"].reshape(()) for entry in entries])
        self._steps = list(self._counts.unbind())

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Updates the parameters in place."""
        self._counts.add_(1)
        self._kernel(
            self._parameters,
            list(gradients),
            self._means,
            self._squares,
            [],
            self._steps,
            lr=learning_rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self._weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def past(self) -> tuple[Entry, ...]:
        """Returns the state for a warm start, one entry per parameter."""
        rows = zip(self._steps, self._means, self._squares, strict=True)
        return tuple({"step": s.clone(), "exp_avg": m, "exp_avg_sq": v} for s, m, v in rows)


def _kernel(name: str) -> Callable[..., Any]:
    """Returns a kernel of torch; raises ConfigError where this version of torch has none.

    The kernels are private to torch, so another version may lack them.
    """
    kernel: Callable[..., Any] | None = getattr(torch, name, None)
    if kernel is None:
        raise ConfigError(
            f"torch {torch.__version__} has no {name}, which this optimizer needs: "
            "install torch 2.13, the tested version"
        )
    return kernel


def _no_past(parameter: Tensor) -> Entry:
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter),
        "exp_avg_sq": torch.zeros_like(parameter),
    }


class Sgd:
    """SGD without momentum; it has no state."""

    def __init__(
        self, parameters: Sequence[Tensor], past: Sequence[Entry], weight_decay: float
    ) -> None:
        self._parameters, self._weight_decay = list(parameters), weight_decay
        self._kernel = _kernel("_fused_sgd_")

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Updates the parameters in place."""
        self._kernel(
            self._parameters,
            list(gradients),
            [],
            weight_decay=self._weight_decay,
            momentum=0.0,
            lr=learning_rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )

    def past(self) -> tuple[Entry, ...]:
        """Returns an empty entry per parameter."""
        return tuple({} for _ in self._parameters)


OPTIMIZERS: dict[str, Callable[[Sequence[Tensor], Sequence[Entry], float], Adam | Sgd]] = {
    "adam": partial(Adam, decoupled=False),
    "adamw": partial(Adam, decoupled=True),
    "sgd": Sgd,
}
