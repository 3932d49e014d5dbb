"""Adam, AdamW and SGD by torch's fused kernels, called directly.

The classes of torch.optim end in the same calls and give the same bits, but the first one that is
made loads torch's compiler (2 s), and each of their steps costs a small network another 50 us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dagger_cli.core.errors import ConfigError

# What a step needs to know of a parameter's past, named as in torch.optim.
Entry = dict[str, Tensor]

BETAS = (0.9, 0.999)  # torch's defaults, those of Kingma & Ba 2015
EPSILON = 1e-8


class Adam:
    """Kingma & Ba 2015; `decoupled`: the weight decay of AdamW (Loshchilov & Hutter 2019)."""

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
        self._steps, self._means, self._squares = (
            [entry[name] for entry in entries] for name in ("step", "exp_avg", "exp_avg_sq")
        )

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Change the parameters in place."""
        torch._foreach_add_(self._steps, 1)
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
        """What another one goes on from, an entry a parameter."""
        rows = zip(self._steps, self._means, self._squares, strict=True)
        return tuple({"step": s, "exp_avg": m, "exp_avg_sq": v} for s, m, v in rows)


def _kernel(name: str) -> Callable[..., Any]:
    """They are torch's own business, so another torch may not have them."""
    kernel: Callable[..., Any] | None = getattr(torch, name, None)
    if kernel is None:
        raise ConfigError(
            f"torch {torch.__version__} has no {name}, which networks are fitted with here: "
            "install torch 2.13, which this was tested with"
        )
    return kernel


def _no_past(parameter: Tensor) -> Entry:
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter),
        "exp_avg_sq": torch.zeros_like(parameter),
    }


class Sgd:
    """Without momentum, so there is no past."""

    def __init__(
        self, parameters: Sequence[Tensor], past: Sequence[Entry], weight_decay: float
    ) -> None:
        self._parameters, self._weight_decay = list(parameters), weight_decay
        self._kernel = _kernel("_fused_sgd_")

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Change the parameters in place."""
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
        """Nothing for each parameter."""
        return tuple({} for _ in self._parameters)


OPTIMIZERS: dict[str, Callable[[Sequence[Tensor], Sequence[Entry], float], Adam | Sgd]] = {
    "adam": partial(Adam, decoupled=False),
    "adamw": partial(Adam, decoupled=True),
    "sgd": Sgd,
}
