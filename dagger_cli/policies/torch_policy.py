"""A fitted network as a policy: a value, never changed after it was made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from dagger_cli.core.types import Acts, View
from dagger_cli.policies.heads import Head


@dataclass(frozen=True)
class TorchPolicy:
    """`optimiser` holds what a warm start goes on from: one entry a parameter, in their order."""

    network: nn.Module
    head: Head
    optimiser: tuple[dict[str, Tensor], ...]

    def act(self, view: View, rng: Generator) -> Acts:
        """Deterministic: `rng` is not used."""
        with torch.inference_mode():
            outputs = self.network(torch.as_tensor(view.obs))
        return Acts(self.head.actions(outputs), np.zeros(len(view), bool))
