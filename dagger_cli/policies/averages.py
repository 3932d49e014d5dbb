"""Policies whose numbers are averaged over rounds, the newest counting most.

Networks that went on from each other lie so close together that the mean of their numbers answers
about as their ensemble does, at the price of one (Izmailov et al. 2018). What acts is the mean;
fitting goes on from the network that was fitted, which travels with the optimiser's past.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dagger_cli.policies.optimisers import Entry

FITTED = "fitted"  # in an entry: the parameter as fitting left it


class Averages:
    """Of one fit: made before it, so that it starts where the last one ended."""

    def __init__(self, network: nn.Module, past: Sequence[Entry]) -> None:
        self._parameters = [p.detach() for p in network.parameters()]
        self._means = [p.clone() for p in self._parameters] if past else None
        for parameter, entry in zip(self._parameters, past, strict=False):
            parameter.copy_(entry.get(FITTED, parameter))

    def renew(self, past: Sequence[Entry], newest: float) -> tuple[Entry, ...]:
        """Put the new means into the network; returns `past` with what was fitted."""
        fitted = [p.clone() for p in self._parameters]
        for parameter, mean in zip(self._parameters, self._means or fitted, strict=True):
            parameter.copy_(torch.lerp(mean, parameter, newest))
        return tuple({**entry, FITTED: p} for entry, p in zip(past, fitted, strict=True))
