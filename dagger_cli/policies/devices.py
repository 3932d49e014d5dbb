"""Where a network is fitted: on the processor or on a GPU. It always acts on the processor."""

from __future__ import annotations

import torch
from torch import nn

from dagger_cli.core.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")

# Weights times rows of a batch from which `auto` takes a GPU. An estimate, never timed on one: a
# gradient step there is some 50 launches, about half a millisecond whatever the size; one core does
# this many weights and rows in about 4 ms (at 40 multiply-adds a nanosecond, three passes).
WORTHWHILE = 50_000_000


def check_device(wanted: str) -> None:
    """Raise ConfigError where this cannot be had."""
    if wanted not in DEVICES:
        raise ConfigError(f"policy.device must be one of {', '.join(DEVICES)}; got '{wanted}'")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "policy.device=cuda, but torch sees no GPU here: take policy.device=auto or cpu, or "
            "install a torch built for CUDA"
        )


def device_for(wanted: str, network: nn.Module, batch_size: int) -> torch.device:
    """The device to fit on; `wanted` is one of DEVICES that `check_device` let pass."""
    if wanted == "auto":
        work = batch_size * sum(p.numel() for p in network.parameters())
        wanted = "cuda" if work >= WORTHWHILE and torch.cuda.is_available() else "cpu"
    return torch.device(wanted)
