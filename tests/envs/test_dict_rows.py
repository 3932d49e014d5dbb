"""Dict observations are rows of numbers, in the order of stable-baselines3's CombinedExtractor."""

import numpy as np
import pytest
from gymnasium import spaces

from dagger_cli.core.errors import EnvError
from dagger_cli.envs.dict_rows import DictRows, ObservedDict

from .helpers import source
from .toys import Parts

SPACE = Parts.observation_space
#      a = 2 of 1..3   b        m = [1, 2]        z
ROW = [0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0.25, 0.0]


def test_parts_are_sorted_and_choices_become_zeros_and_ones():
    rows = DictRows.of(SPACE, "X")
    assert rows.names == {"a": (0, 3), "inner.b": (3, 5), "inner.m": (5, 10), "z": (10, 12)}
    assert rows.space.shape == (12,) and rows.space.dtype == "float64"
    assert rows.space.low == (0.0,) * 10 + (-1.0, -1.0) and rows.space.high == (1.0,) * 12
    env = Parts()
    np.testing.assert_array_equal(ObservedDict(rows)(env.reset()[0]), ROW)


def test_float32_parts_make_float32_rows():
    boxes = {key: spaces.Box(-1, 1, (2,), np.float32) for key in "ba"}
    assert DictRows.of(spaces.Dict(boxes), "X").space.dtype == "float32"


@pytest.mark.parametrize("sort_keys", [True, False])
def test_the_order_is_that_of_stable_baselines3(sort_keys):
    torch = pytest.importorskip("torch")
    from stable_baselines3.common.preprocessing import preprocess_obs
    from stable_baselines3.common.torch_layers import CombinedExtractor

    parts = {"z": SPACE["z"], "a": spaces.Discrete(3), "m": SPACE["inner"]["m"]}
    flat = spaces.Dict(parts, sort_keys=sort_keys)
    seen = {"z": np.array([[0.25, 0.5]]), "a": np.array([2]), "m": np.array([[1, 2]])}
    rows = DictRows.of(flat, "X")
    assert list(rows.names) == (["a", "m", "z"] if sort_keys else ["z", "a", "m"])
    assert list(DictRows.of(flat, "X", sort=True).names) == ["a", "m", "z"]
    ours = rows.rows([seen[part.name] for part in rows.parts])
    tensors = preprocess_obs({key: torch.as_tensor(v) for key, v in seen.items()}, flat)
    theirs = CombinedExtractor(flat)(tensors)
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("workers", [0, 1])
def test_an_environment_with_a_dict_plays(workers):
    env_source = source("toy/Parts-v0", workers=workers)
    assert env_source.parts["inner.m"] == (5, 10)
    env = env_source.open(2)
    env.reset(np.arange(2), np.arange(2))
    np.testing.assert_array_equal(env.observation.obs, [ROW, ROW])
    env.step(np.arange(2), np.zeros(2, np.int64))
    assert env.observation.obs[:, -1].tolist() == [0.5, 0.5]
    env.close()


def test_a_part_that_is_missing_is_named():
    env = source("toy/Parts-v0", kwargs={"wrong": True}).open(1)
    env.reset(np.arange(1), np.arange(1))
    with pytest.raises(EnvError, match=r"step\(\): the observation lacks 'a' of its Dict space"):
        env.step(np.arange(1), np.zeros(1, np.int64))


@pytest.mark.parametrize("columns", [[0, 13], [2, 2], [-1, 3], [0], ["a", "b"]])
def test_parts_that_are_no_columns_are_refused(columns):
    with pytest.raises(Exception, match=r"env\.parts\.left must be \[first, stop\]"):
        source("toy/Parts-v0", parts={"left": columns})
