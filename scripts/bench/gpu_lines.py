"""Lines of the table of gpu.py: checks, timings, and what could not be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from gpu_fits import seconds
from torch import Tensor

Line = dict[str, Any]
Timed = tuple[Callable[[], Any], torch.device]


def check(what: str, number: float, allowed: float) -> Line:
    """Returns the line of a check; a number that is not finite fails."""
    return {"what": what, "number": number, "allowed": allowed, "ok": bool(number <= allowed)}


def timing(what: str, of: str, repeats: int, first: Timed, second: Timed) -> Line:
    """Returns the line of two calls with their devices: the least seconds of each, alternating."""
    pairs = [[seconds(*first), seconds(*second)] for _ in range(repeats)]
    least = [min(column) for column in zip(*pairs, strict=True)]
    told = {"seconds": [round(x, 4) for x in least], "repeats": repeats}
    return {"what": what, "ratio": round(least[0] / least[1], 3), "of": of, **told}


def skipped(what: str, why: str) -> Line:
    """Returns the line of what could not be measured."""
    return {"what": what, "skipped": why}


def apart(first: Sequence[Tensor], second: Sequence[Tensor]) -> float:
    """Returns the norm of the difference of two lists of arrays, relative to the first's."""
    a, b = (torch.cat([t.double().flatten().cpu() for t in arrays]) for arrays in (first, second))
    return float((a - b).norm() / a.norm())


def loss_and_weights(
    what: str, one: Any, other: Any, loss: float, weights: float
) -> Iterator[Line]:
    """Yields the checks of two results (mean loss, weights): relative differences."""
    yield check(f"{what}, loss", abs(one[0] - other[0]) / abs(one[0]), loss)
    yield check(f"{what}, weights", apart(one[1], other[1]), weights)


@contextmanager
def exact_products() -> Iterator[None]:
    """Turns TF32 off, which torch uses for convolutions: it keeps 10 bits of a number."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
