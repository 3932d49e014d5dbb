"""Choice of the device for a fit: CPU or GPU. A fitted policy always acts on the CPU."""

from __future__ import annotations

import torch
from torch import nn

from dagger_cli.core.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")

# Number of weights times batch size from which `auto` selects a GPU. An estimate, not measured on a
# GPU: a gradient step there takes some 50 kernel launches, about 0.5 ms whatever the size; one core
# takes about 4 ms for this size (at 40 multiply-adds per nanosecond, three passes).
WORTHWHILE = 50_000_000


def check_device(wanted: str) -> None:
    """Raises ConfigError where the device is unknown or not available."""
    if wanted not in DEVICES:
        raise ConfigError(f"policy.device must be one of {', '.join(DEVICES)}; got '{wanted}'")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "policy.device=cuda, but torch sees no GPU: use policy.device=auto or cpu, or "
            "install a torch built for CUDA"
        )


def device_for(wanted: str, network: nn.Module, batch_size: int) -> torch.device:
    """Returns the device of a fit; `wanted` is one of DEVICES and passed `check_device`."""
    if wanted == "auto":
        work = batch_size * sum(p.numel() for p in network.parameters())
        # A convolution multiplies by each weight at hundreds of places of an image.
        large = work >= WORTHWHILE or any(isinstance(m, nn.Conv2d) for m in network.modules())
        wanted = "cuda" if large and torch.cuda.is_available() else "cpu"
    return torch.device(wanted)
