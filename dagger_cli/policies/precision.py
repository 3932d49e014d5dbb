"""Data type of the matrix products in a fit: `policy.precision`."""

from __future__ import annotations

import torch

from dagger_cli.core.errors import ConfigError

PRECISIONS = ("auto", "float32", "bfloat16")
FAST = ("avx512_bf16", "amx_bf16")  # CPU features with which bfloat16 products are faster


def check_precision(precision: str) -> None:
    """Raises ConfigError where `precision` is not one of PRECISIONS."""
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise ConfigError(f"policy.precision must be one of {known}; got '{precision}'")


def products(precision: str) -> torch.dtype | None:
    """Returns the data type of products, None for the parameters' type.

    `auto` is bfloat16 where the CPU multiplies it faster.
    """
    if precision == "bfloat16" or (precision == "auto" and _is_fast()):
        return torch.bfloat16
    return None


def _is_fast() -> bool:
    read = getattr(torch.cpu, "get_capabilities", None)  # missing in older versions
    return read is not None and any(bool(read().get(name)) for name in FAST)
