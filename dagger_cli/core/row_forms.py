"""Which form the rows of a run have, from the description of its environment or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from dagger_cli.core.bit_rows import BINARY, BitForm
from dagger_cli.core.compact import PREFIX, CompactRows, Form, Stored, as_columns, parts_in
from dagger_cli.core.frame_rows import SPLIT, FrameForm, Split
from dagger_cli.core.past import PAST, PastForm
from dagger_cli.core.types import Array, Space

LEAST = 64  # bytes of a row that is made smaller
LEAST_FRAME = 512  # bytes: of smaller frames the digests take longer than it is worth
LIKE = f"{PREFIX}like"  # an array without rows that has the shape and the type of the observations


def form_of(space: Space, split: Split | None) -> Form | None:
    """Returns a smaller form for observations, None where an array is as good.

    `split` are the frames of flat observations, None without. In images every channel is a frame:
    those of one image share nothing, and are then stored as an array (see dataset.aggregate).
    """
    itemsize = np.dtype(space.dtype).itemsize
    if space.size * itemsize < LEAST:
        return None
    if len(space.shape) == 3 and space.dtype == "uint8" and space.kind == "box":
        split = image_split(space.shape)
    if split is not None and split.stack > 1 and split.frame_size * itemsize >= LEAST_FRAME:
        return FrameForm(space.shape, space.dtype, split)
    binary = _binary(space)
    if not binary.any():
        return None
    return BitForm(space.shape, space.dtype, tuple(binary.tolist()))


def image_split(shape: tuple[int, ...]) -> Split:
    """Returns the channels of images as frames.

    They are last where the last axis is smaller than the first, as in networks/layers.py.
    """
    if shape[2] < shape[0]:
        return Split(shape[0] * shape[1], shape[2], 1)
    return Split(1, shape[0], shape[1] * shape[2])


def _binary(space: Space) -> Array:
    """Returns the components that are 0 or 1 by the space, (size,) bool."""
    if space.kind == "multi_binary":
        return np.ones(space.size, bool)
    if space.kind != "box" or np.dtype(space.dtype).kind not in "biu":
        return np.zeros(space.size, bool)
    return np.equal(space.low, 0) & np.equal(space.high, 1)


def file_columns(rows: Stored) -> dict[str, Array]:
    """Returns the observations of adjacent rows as arrays that say themselves how to read them."""
    if not isinstance(rows, CompactRows):
        return {"obs": rows}
    described = as_columns(rows.form.described())
    like = np.empty((0, *rows.form.shape), rows.form.dtype)
    return {**rows.columns, **described, LIKE: like}


def rows_in(arrays: Mapping[str, Array]) -> Stored | None:
    """Returns the observations in a file's arrays, None where there are none.

    Raises ValueError for arrays that `file_columns` cannot have returned.
    """
    if LIKE not in arrays:
        return arrays.get("obs")
    like = arrays[LIKE]
    named = parts_in({name: array for name, array in arrays.items() if name != LIKE})
    shape, dtype = like.shape[1:], like.dtype.name
    try:
        form: BitForm | FrameForm | PastForm
        if PAST in named:
            form = PastForm(shape, dtype)
        elif BINARY in named:
            mask = named.pop(BINARY)
            if mask.dtype != bool or mask.shape != (prod(shape),):
                raise ValueError("the mask does not fit the rows")
            form = BitForm(shape, dtype, tuple(mask.tolist()))
        else:
            split = named.pop(SPLIT)
            if split.dtype != np.int64 or split.shape != (3,):
                raise ValueError("the split does not fit the rows")
            form = FrameForm(shape, dtype, Split(*split.tolist()))
        form.check(named)
    except (KeyError, TypeError, IndexError) as err:
        raise ValueError(f"a part of the rows is missing or of another kind: {err}") from err
    return CompactRows(form, named)
