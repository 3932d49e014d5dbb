"""In which type a fit multiplies matrices: `policy.precision`."""

from __future__ import annotations

import torch

from dagger_cli.core.errors import ConfigError

PRECISIONS = ("auto", "float32", "bfloat16")
FAST = ("avx512_bf16", "amx_bf16")  # a processor that has one of them multiplies bfloat16 faster


def check_precision(precision: str) -> None:
    """Raises ConfigError for what is none."""
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise ConfigError(f"policy.precision must be one of {known}; got '{precision}'")


def products(precision: str) -> torch.dtype | None:
    """The type for products, None for the parameters' own; `auto`: bfloat16 where it is faster."""
    if precision == "bfloat16" or (precision == "auto" and _is_fast()):
        return torch.bfloat16
    return None


def _is_fast() -> bool:
    read = getattr(torch.cpu, "get_capabilities", None)  # not in older ones
    return read is not None and any(bool(read().get(name)) for name in FAST)
