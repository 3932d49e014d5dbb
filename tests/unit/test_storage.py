"""An aggregate on disk is the same as one in memory, and leaves nothing behind."""

import mmap
from unittest import mock

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils import memmap as storage
from dagger_cli.utils.memmap import allocator, at_random, will_need


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


def test_the_pages_of_the_rows_to_come_are_asked_for(tmp_path):
    """All of them and no others, of a view that skips rows too; in memory nothing is."""
    array = allocator("disk", tmp_path)((4000, 300), np.dtype(np.float32))
    pages, observation, rows = [], array[7::2], np.array([3, 1500, 3, 40])
    for row in rows:
        begin = (7 + 2 * row) * 1200
        pages += range(begin // mmap.PAGESIZE, (begin + 1200 - 1) // mmap.PAGESIZE + 1)
    file = Asked(storage._file_of(array))
    with (
        mock.patch.object(storage, "_file_of", lambda array: file),
        mock.patch.object(storage, "_address", lambda file: file.address),
    ):
        will_need(observation, rows)
    assert file.pages == set(pages)
    in_memory = np.zeros((10, 3))
    will_need(in_memory, np.array([1]))
    with at_random(in_memory):
        pass


class Asked:
    """A mapped file that notes which pages are asked for."""

    def __init__(self, file):
        self.address, self.pages = storage._address(file), set()

    def madvise(self, option, start, length):
        assert option == mmap.MADV_WILLNEED and start % mmap.PAGESIZE == 0
        self.pages |= set(range(start // mmap.PAGESIZE, -(-(start + length) // mmap.PAGESIZE)))


def test_what_is_read_at_random_is_the_same(tmp_path):
    data = grown("disk", tmp_path)
    before = data.obs.copy()
    with at_random(data.obs):
        will_need(data.obs, np.arange(len(data)))
        np.testing.assert_array_equal(data.obs, before)
