"""Files of other programs, and files that are not whole, not ours or not safe."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.data.episodes import About
from dagger_cli.data.fitting import actions_of, dataset_of
from dagger_cli.data.npz import write_npz
from dagger_cli.data.read import read_episodes

from ..e2e.running import dagger
from .recorded import ACTIONS, OBSERVATIONS, TORQUES, episodes

EPISODE = episodes().columns["episode"]
OBS, ACTS = np.zeros((5, 2), np.float32), np.array([0, 1, 2, 0, 1])


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    ("more", "episode", "step"),
    [
        ({}, [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]),
        ({"dones": np.array([0, 1, 0, 0, 1])}, [0, 0, 1, 1, 1], [0, 1, 0, 1, 2]),
        ({"episode": np.array([7, 7, 7, 9, 9])}, [0, 0, 0, 1, 1], [0, 1, 2, 0, 1]),
        (
            {"terminals": np.array([0, 0, 1, 0, 0]), "timeouts": np.array([1, 0, 0, 0, 0])},
            [0, 1, 1, 2, 2],
            [0, 0, 1, 0, 1],
        ),
    ],
)
def test_npz_by_the_usual_names(more, episode, step, tmp_path):
    np.savez(tmp_path / "a.npz", obs=OBS, acts=ACTS, **more)
    read = read_episodes(tmp_path / "a.npz")
    assert read.columns["episode"].tolist() == episode
    assert read.columns["step"].tolist() == step
    assert read.columns["expert_action"].tolist() == ACTS.tolist()


def test_npz_of_imitation_without_its_pickled_infos(tmp_path):
    """Two trajectories of 2 and 3 steps have 7 observations; infos are objects and stay unread."""
    infos = np.array([Bomb()] * 5, dtype=object)
    obs = np.arange(14, dtype=np.float32).reshape(7, 2)
    path = tmp_path / "old.npz"
    np.savez(
        path, obs=obs, acts=ACTS, infos=infos, terminal=np.array([1, 1]), indices=np.array([2])
    )
    read = read_episodes(path)
    assert read.columns["observation"][:, 0].tolist() == [0, 2, 6, 8, 10]
    assert read.columns["step"].tolist() == [0, 1, 0, 1, 2]
    assert read.final_observation[:, 0].tolist() == [4, 12]


def test_folder_of_imitation(tmp_path):
    pa = pytest.importorskip("pyarrow")
    rows = [
        {"obs": [[0.0], [1.0], [2.0]], "acts": [1, 0], "infos": ["{}", "{}"], "terminal": True},
        {"obs": [[5.0], [6.0]], "acts": [1], "infos": ["{}"], "terminal": False},
    ]
    table = pa.Table.from_pylist(rows)
    (tmp_path / "dataset_info.json").write_text("{}")
    with pa.ipc.new_stream(str(tmp_path / "data-00000-of-00001.arrow"), table.schema) as out:
        out.write_table(table)
    read = read_episodes(tmp_path)
    assert read.columns["observation"].tolist() == [[0.0], [1.0], [5.0]]
    assert read.columns["terminated"].tolist() == [False, True, False]
    assert read.final_observation.tolist() == [[2.0], [6.0]]


@pytest.mark.parametrize("name", ["demos.pkl", "demos.pickle", "demos.pt"])
def test_pickles_are_refused_and_a_converter_is_named(name, tmp_path):
    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ConfigError, match=r"imitation.data.serialize.save") as err:
        read_episodes(tmp_path / name)
    assert "\n" not in str(err.value)


def test_arrays_of_objects_are_not_there(tmp_path):
    np.savez(tmp_path / "a.npz", obs=np.array([Bomb()] * 5, dtype=object), acts=ACTS)
    with pytest.raises(ConfigError, match=r"no array of numbers named observation.*it has acts"):
        read_episodes(tmp_path / "a.npz")


def test_a_single_value_is_no_column(tmp_path):
    np.savez(tmp_path / "a.npz", obs=np.zeros(()), acts=np.zeros(()))
    with pytest.raises(ConfigError, match="'obs' is a single value"):
        read_episodes(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("episode", -1 - EPISODE, "'episode' must be whole numbers from 0"),
        ("episode", EPISODE + 0.5, "'episode' must be whole numbers from 0"),
        ("episode", EPISODE[::-1], "that never fall"),
        ("reward", np.float64(0), "'reward' is a single value"),
        ("observation", np.array([None]), "no column 'observation' of numbers"),
    ],
)
def test_an_altered_column_is_one_sentence(column, values, said, tmp_path):
    write_npz(episodes(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = {**file, column: values}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ConfigError, match=said):
        read_episodes(tmp_path / "a.npz")


@pytest.mark.parametrize("path", ["trainer.demonstrations", "expert.path"])
def test_an_empty_path_is_not_the_current_folder(path, tmp_path):
    words = ("env=cartpole", "expert=dataset", "trainer=dagger", f"{path}=")
    done = dagger("train", *words, cwd=tmp_path)
    assert done.code == 2 and f"{path}= is empty" in done.err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [0, 10, 300, -1])
def test_a_half_written_npz(kept, tmp_path):
    path = tmp_path / "a.npz"
    write_npz(episodes(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ConfigError, match=r"not a whole .npz"):
        read_episodes(path)


@pytest.mark.parametrize("version", [0, 3, "1", None])
def test_an_unknown_version(version, tmp_path):
    path = tmp_path / "a.npz"
    write_npz(episodes(), path)
    arrays = dict(np.load(path, allow_pickle=False))
    arrays["about"] = np.asarray(
        json.dumps({**json.loads(str(arrays["about"])), "version": version})
    )
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match=f"has version {version}"):
        read_episodes(path)


def test_an_unknown_version_of_lerobot(tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").write_text('{"codebase_version": "v2.1"}')
    with pytest.raises(ConfigError, match=r"version v2.1.*convert_dataset_v21_to_v30"):
        read_episodes(tmp_path)


@pytest.mark.parametrize(
    ("changed", "env_id", "said"),
    [
        ({}, "Other-v1", "recorded in Toy-v0"),
        ({"observation": np.zeros((8, 3), np.float32)}, "Toy-v0", r"shape \(3,\)"),
        ({"observation": np.full((8, 2), 2.0)}, "Toy-v0", "outside -1 to 1.*other units"),
        ({"observation": np.full((8, 2), np.nan)}, "Toy-v0", "not finite"),
        ({"expert_action": np.full(8, 3)}, "Toy-v0", "is 3, outside 0 to 2"),
        ({"expert_action": np.full(8, 0.5)}, "Toy-v0", "0.5, but actions are whole"),
        ({"expert_action": np.zeros((8, 2))}, "Toy-v0", r"actions of shape \(2,\)"),
    ],
)
def test_data_of_another_environment(changed, env_id, said):
    with pytest.raises(ConfigError, match=said) as err:
        dataset_of(episodes(**changed), OBSERVATIONS, ACTIONS, env_id)
    assert "\n" not in str(err.value)


def test_data_of_another_view():
    """Rows of like shape can mean something else; foreign data do not say what they show."""
    with pytest.raises(ConfigError, match=r"another view: full; this run's students see: comp"):
        dataset_of(episodes(), OBSERVATIONS, ACTIONS, "Toy-v0", "components [0, 2]")
    foreign = replace(episodes(), about=About("Toy-v0"))
    assert len(dataset_of(foreign, OBSERVATIONS, ACTIONS, "Toy-v0", "components [0, 2]")) == 8


def test_pictures_in_other_units():
    pictures = Space("box", (2, 2, 3), "uint8", (0.0,) * 12, (255.0,) * 12)
    with pytest.raises(ConfigError, match="float32, but this run's are uint8"):
        dataset_of(
            episodes(observation=np.ones((8, 2, 2, 3), np.float32)), pictures, ACTIONS, "Toy-v0"
        )


def test_flat_rows_as_lerobots_are_take_the_shape_of_the_space():
    grid = Space("box", (2, 3), "float32", (-np.inf,) * 6, (np.inf,) * 6)
    torque = Space("box", (1,), "float32", (-1.0,), (1.0,))
    seen = np.arange(48, dtype=np.float32).reshape(8, 6)
    data = dataset_of(
        episodes(observation=seen, expert_action=seen[:, 0] / 100, action=seen[:, 1] / 100),
        grid, torque, "Toy-v0",
    )  # fmt: skip
    assert data.obs.shape == (8, 2, 3) and data.obs[0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert data.labels.tolist() == (seen[:, :1] / 100).tolist()
    assert data.played["action"].shape == (8, 1)


def test_actions_at_the_bounds_are_kept_and_beyond_refused():
    edge = np.array([[1.0 + 1e-7, -1.0]])
    assert actions_of(edge, TORQUES, "x").tolist() == [[1.0, -1.0]]
    with pytest.raises(ConfigError, match=r"action of row 0 is 1.1, outside -1 to 1"):
        actions_of(np.array([[1.1, 0.0]]), TORQUES, "x")
