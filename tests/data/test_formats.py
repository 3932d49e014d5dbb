"""What is written comes back equal, in every format; other programs find what they expect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.data.episodes import without_finals
from dagger_cli.data.fitting import dataset_of
from dagger_cli.data.lerobot_video import as_frames
from dagger_cli.data.read import read_episodes
from dagger_cli.data.write import check_target, write_episodes

from .recorded import LENGTHS, differing, episodes

LAYOUT = Path(__file__).with_name("lerobot_layout.json")


@pytest.mark.parametrize("format", ["npz", "parquet"])
def test_our_own_formats_come_back_equal(format, tmp_path):
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path, whole = tmp_path / f"toy.{format}", episodes()
    write_episodes(whole, format, path)
    read = read_episodes(path)
    assert differing(whole, read) == []
    assert np.array_equal(read.final_observation, whole.final_observation)
    assert read.final_episode.tolist() == [0, 1]
    assert read.about.observation_space == whole.about.observation_space
    assert read.about.action_space == whole.about.action_space
    assert (read.about.env_id, read.about.fps) == ("Toy-v0", 25)


def test_minaris_own_loader_opens_it(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    pytest.importorskip("h5py")
    whole = episodes()
    write_episodes(whole, "minari", tmp_path / "toy-v0")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    loaded = minari.load_dataset("toy-v0")
    # The end of the last episode is not known, so that its last step has no result.
    assert [len(e.actions) for e in loaded.iterate_episodes()] == [3, 1, 3]
    first = next(iter(loaded.iterate_episodes()))
    assert np.array_equal(first.observations[:3], whole.columns["observation"][:3])
    assert np.array_equal(first.observations[3], whole.final_observation[0])
    assert first.actions.tolist() == [1, 2, 0] and first.terminations.tolist() == [0, 0, 1]
    read = read_episodes(tmp_path / "toy-v0")
    assert read.columns["expert_action"].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_minari_shows_no_step_from_one_side_of_a_gap_to_the_other(tmp_path, monkeypatch):
    """A trainer labels the states 0, 1, 4, 5 and 6 of an episode, then 2 to 4 of another."""
    minari = pytest.importorskip("minari")
    pytest.importorskip("h5py")
    rows = np.arange(8, dtype=np.float32)
    step = np.array([0, 1, 4, 5, 6, 2, 3, 4])
    seen = np.stack([step + 10 * (rows > 4), rows], 1).astype(np.float32)
    some = episodes(observation=seen, step=step, episode=np.repeat([0, 1], (5, 3)))
    some = without_finals(some.columns, some.about)
    write_episodes(some, "minari", tmp_path / "toy-v0")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    parts = list(minari.load_dataset("toy-v0").iterate_episodes())
    assert all((np.diff(part.observations[:, 0]) == 1).all() for part in parts)
    assert [part.observations[:, 1].tolist() for part in parts] == [[0, 1], [2, 3, 4], [5, 6, 7]]


def test_a_folder_of_minari_has_a_name_that_minari_takes(tmp_path):
    with pytest.raises(ConfigError, match=r"path=.*toy-v0"):
        check_target("minari", tmp_path / "toy")


def test_lerobots_layout(tmp_path):
    """The facts of a stored data set of codebase v3.0, see lerobot_layout.json."""
    pq = pytest.importorskip("pyarrow.parquet")
    write_episodes(episodes(), "lerobot", tmp_path / "toy")
    facts = json.loads(LAYOUT.read_text())
    info = json.loads((tmp_path / "toy" / "meta" / "info.json").read_text())
    assert info.keys() >= set(facts["info"]) and info["codebase_version"] == "v3.0"
    assert {"total_episodes": 3, "total_frames": 8, "total_tasks": 1}.items() <= info.items()
    for name, described in facts["features"].items():
        assert info["features"][name] == described, name
    for path in facts["files"]:
        assert (tmp_path / "toy" / path).is_file()
    rows = pq.read_table(tmp_path / "toy" / "meta" / "episodes" / "chunk-000" / "file-000.parquet")
    assert set(facts["episodes"]) <= set(rows.column_names)
    assert rows["length"].to_pylist() == list(LENGTHS)
    assert rows["dataset_from_index"].to_pylist() == [0, 3, 4]
    assert rows["dataset_to_index"].to_pylist() == [3, 4, 8]
    frames = pq.read_table(tmp_path / "toy" / "data" / "chunk-000" / "file-000.parquet")
    assert set(frames.column_names) == set(info["features"])
    assert frames["timestamp"].to_pylist() == pytest.approx(
        [t / 25 for t in (0, 1, 2, 0, 0, 1, 2, 3)]
    )
    tasks = pq.read_table(tmp_path / "toy" / "meta" / "tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    stats = json.loads((tmp_path / "toy" / "meta" / "stats.json").read_text())
    assert stats["action"] | {"std": 0} == {
        "min": [0], "max": [2], "mean": [pytest.approx(7 / 8)], "std": 0, "count": [8]
    }  # fmt: skip


def test_lerobot_comes_back_as_float32(tmp_path):
    pytest.importorskip("pyarrow")
    whole = episodes()
    write_episodes(whole, "lerobot", tmp_path / "toy")
    read = read_episodes(tmp_path / "toy")
    assert differing(whole, read) == ["beta", "policy", "reward"]  # float32, and left out
    assert np.allclose(read.columns["reward"], whole.columns["reward"])


def test_what_lerobot_flattens_is_learned_from_in_its_shape(tmp_path):
    """A single torque is a plain column there, a grid a list of its numbers."""
    pytest.importorskip("pyarrow")
    grid = Space("box", (2, 3), "float32", (-1.0,) * 6, (1.0,) * 6)
    torque = Space("box", (1,), "float32", (-1.0,), (1.0,))
    rng = np.random.default_rng(0)
    seen, acts = (rng.uniform(-1, 1, (8, *s.shape)).astype(np.float32) for s in (grid, torque))
    write_episodes(
        episodes(observation=seen, expert_action=acts, action=acts), "lerobot", tmp_path / "toy"
    )
    data = dataset_of(read_episodes(tmp_path / "toy"), grid, torque, "Toy-v0")
    assert np.array_equal(data.obs, seen) and np.array_equal(data.labels, acts)


def test_pictures_are_a_video(tmp_path):
    pytest.importorskip("pyarrow")
    flat = np.arange(8, dtype=np.uint8)[:, None, None, None] * 30
    whole = episodes(observation=np.broadcast_to(flat, (8, 16, 24, 3)).copy())
    write_episodes(whole, "lerobot", tmp_path / "toy")
    info = json.loads((tmp_path / "toy" / "meta" / "info.json").read_text())
    feature = info["features"]["observation.images.view"]
    assert (feature["dtype"], feature["shape"]) == ("video", [16, 24, 3])
    stats = json.loads((tmp_path / "toy" / "meta" / "stats.json").read_text())
    of_pictures = stats["observation.images.view"]
    levels = np.arange(8) * 30 / 255
    for name in ("min", "max", "mean", "std"):
        assert of_pictures[name] == [[[pytest.approx(getattr(levels, name)())]]] * 3
    pq = pytest.importorskip("pyarrow.parquet")
    rows = pq.read_table(tmp_path / "toy" / "meta" / "episodes" / "chunk-000" / "file-000.parquet")
    for end, frames in (("from", (0, 3, 4)), ("to", (3, 4, 8))):
        column = rows[f"videos/observation.images.view/{end}_timestamp"].to_pylist()
        assert column == pytest.approx([frame / 25 for frame in frames])
    seen = read_episodes(tmp_path / "toy").columns["observation"]
    assert seen.shape == (8, 16, 24, 3)
    assert np.abs(seen.astype(int) - whole.columns["observation"]).max() <= 6  # compressed


@pytest.mark.parametrize(
    ("shape", "channels"), [((8, 8, 3), (0, 1, 2)), ((8, 8, 1), (0, 0, 0)), ((8, 8, 4), (3, 3, 3))]
)
def test_of_a_stack_the_newest_picture_is_shown(shape, channels):
    seen = np.random.default_rng(0).integers(0, 256, (5, *shape)).astype(np.uint8)
    assert np.array_equal(as_frames(seen), seen[..., channels])
    if shape[2] == 3:
        wide = np.repeat(seen, 4, axis=2)
        assert np.array_equal(as_frames(np.moveaxis(wide, 3, 1)), wide)
    assert as_frames(seen.astype(np.float32)) is None


@pytest.mark.parametrize(
    ("format", "name", "said"),
    [
        ("zarr", "toy", "format must be one of npz, parquet, minari, lerobot"),
        ("npz", "toy.parquet", "must end in .npz"),
        ("lerobot", "", "exists"),
        ("npz", "none/toy.npz", "there is no folder"),
    ],
)
def test_bad_targets(format, name, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        check_target(format, tmp_path / name)
