"""An aggregate on disk is the same as one in memory, and leaves nothing behind."""

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.storage import allocator


def rows(n: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset(rng.normal(size=(n, 3)), np.arange(n), rng.integers(4, size=n), (n,))


def grown(storage: str, folder) -> Dataset:
    data, allocate = None, allocator(storage, folder)
    for seed, n in enumerate((5, 3, 9, 1)):  # outgrows its room once
        data = aggregate(data, rows(n, seed), capacity=10, allocate=allocate)
    assert data is not None
    return data


def test_disk_and_memory_hold_the_same_rows(tmp_path):
    on_disk, in_memory = grown("disk", tmp_path), grown("memory", tmp_path)
    assert on_disk.rounds == in_memory.rounds == (5, 3, 9, 1)
    for a, b in zip(on_disk.columns.values(), in_memory.columns.values(), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert list(tmp_path.iterdir()) == []


def test_the_memory_is_the_files(tmp_path):
    array = allocator("disk", tmp_path)((4, 2), np.dtype(np.float32))
    base = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    assert type(base).__name__ == "mmap" and type(array) is np.ndarray


def test_an_unknown_storage_and_a_full_disk_are_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"aggregate\.storage must be memory or disk, got 'tape'"):
        allocator("tape", tmp_path)
    allocate = allocator("disk", tmp_path)
    with pytest.raises(ConfigError, match=r"no room for .* MB in .*hydra\.run\.dir"):
        allocate((2**45, 2**10), np.dtype(np.float64))
