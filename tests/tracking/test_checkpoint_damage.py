from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.checkpoint import (
    load_policy,
    read_manifest,
    resolve_checkpoint,
    resolve_resumed,
    restore,
)
from dagger_cli.tracking.manifest import Manifest, Shard, write_manifest
from dagger_cli.tracking.safetensors_io import read_arrays, write_arrays

from .toys import CARD, CONFIG, ToyEnv, ToyLearner, make_kit, train


@pytest.fixture
def run(tmp_path: Path) -> Path:
    train(tmp_path / "run", 3)
    return tmp_path / "run"


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


FILES = (
    "last/policy.safetensors",
    "last/env.safetensors",
    "last/checkpoint.json",
    "aggregate/round_0002.safetensors",
)


@pytest.mark.parametrize("harm", [alter, truncate, empty])
@pytest.mark.parametrize("name", FILES)
def test_damage_is_noticed_and_nothing_is_restored(run: Path, name: str, harm: Any) -> None:
    path = run / "checkpoints" / name
    harm(path)
    kit = make_kit(3, seed=9)
    before = kit.rng.save()
    with pytest.raises(CheckpointError, match=f"{path.name} is (truncated or )?altered"):
        restore(resolve_resumed(run), kit)
    assert kit.rng.save() == before


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    (run / "checkpoints" / name).unlink()
    with pytest.raises(CheckpointError, match=f"{Path(name).name}"):
        restore(resolve_resumed(run), make_kit(3))


def test_no_altered_manifest_is_believed(run: Path) -> None:
    path = run / "checkpoints/last/checkpoint.json"
    whole = path.read_bytes()
    expected = read_manifest(path.parent)
    for at in range(0, len(whole), 11):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1 :])
        with suppress(CheckpointError):
            assert read_manifest(path.parent) == expected  # white space


def test_a_newer_format_asks_for_an_upgrade(run: Path) -> None:
    path = resolve_checkpoint(run) / "checkpoint.json"
    path.write_text(json.dumps({"format_version": 2, "anything": "else"}))
    with pytest.raises(CheckpointError, match=r"format 2.*upgrade dagger-cli"):
        load_policy(resolve_checkpoint(run), ToyLearner(), ToyEnv.action_space)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format_version": "1"}', "3", "[" * 99999])
def test_other_json_is_refused(run: Path, text: str) -> None:
    path = resolve_checkpoint(run) / "checkpoint.json"
    path.write_text(text)
    with pytest.raises(CheckpointError, match=r"not written by dagger-cli|not valid JSON"):
        read_manifest(path.parent)


@pytest.mark.parametrize("depth", [200, 400, 600, 800])
def test_a_deep_config_is_refused_and_no_recursion_shows(run: Path, depth: int) -> None:
    path = resolve_checkpoint(run) / "checkpoint.json"
    content = json.loads(path.read_text())
    content["config"] = "DEEP"
    path.write_text(json.dumps(content).replace('"DEEP"', "[" * depth + "]" * depth))
    with pytest.raises(CheckpointError, match="truncated or altered"):
        read_manifest(path.parent)


def test_the_manifest_tells_all_about_the_run(run: Path) -> None:
    manifest = read_manifest(run / "checkpoints/last")
    assert manifest.expert == CARD and manifest.config == CONFIG
    assert (manifest.round, manifest.usage.labels) == (3, 90)
    assert [shard.rows for shard in manifest.shards] == [30, 30, 30]
    text = (run / "checkpoints/last/checkpoint.json").read_text()
    json.loads(text, parse_constant=pytest.fail)  # strict JSON, although the config has an inf


@pytest.mark.parametrize(
    ("rounds", "steps", "message"),
    [
        (3, 31, "round 1 of .* had 30 labels, but the budget now gives it 31"),
        (2, 30, "has finished 3 rounds, but rounds=2"),
    ],
)
def test_the_budget_must_fit_what_is_there(
    run: Path, rounds: int, steps: int, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        restore(resolve_resumed(run), make_kit(rounds, steps=steps))


def test_a_full_disk_leaves_the_last_checkpoint_usable(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, failures = os.fsync, 0
    for at in range(100):
        left = at

        def full(handle: int) -> None:
            nonlocal left
            if left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left -= 1
            fsync(handle)

        monkeypatch.setattr(os, "fsync", full)
        try:
            train(run, 4, resume=True)
        except CheckpointError as err:
            failures += 1
            assert "no space left on device" in str(err) and "free some space" in str(err)
        else:
            break
        finally:
            monkeypatch.setattr(os, "fsync", fsync)
        assert not [path for path in run.rglob("*") if path.name.endswith(".tmp")]
        load_policy(resolve_checkpoint(run), ToyLearner(), ToyEnv.action_space)
        if restore(resolve_resumed(run), make_kit(4))[0].round == 4:
            break
    assert failures > 10
    train(run, 4, resume=True)
    assert restore(resolve_resumed(run), make_kit(4))[0].round == 4


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CheckpointError, match=r"permission denied.*choose a writable folder"):
        train(tmp_path, 1)


def one_rows(manifest: Manifest) -> tuple[Shard, ...]:
    return (*manifest.shards[:-1], replace(manifest.shards[-1], rows=1))


NONSENSE: dict[str, Callable[[Manifest], dict[str, Any]]] = {
    "an earlier round": lambda m: {"round": 2},
    "no round": lambda m: {"round": -5},
    "a text for a round": lambda m: {"round": "3"},
    "a fraction of a round": lambda m: {"round": 3.0},
    "a best round to come": lambda m: {"best": replace(m.best, round=4)},
    "labels below 0": lambda m: {"usage": m.usage._replace(labels=-7)},
    "a shard too few": lambda m: {"shards": m.shards[:-1]},
    "a shard of other rows": lambda m: {"shards": one_rows(m)},
    "no random streams": lambda m: {"rng": {}},
    "a fact that is none": lambda m: {"metrics": {"train/loss": "low"}},
    "no config": lambda m: {"config": []},
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_with_a_right_hash_is_refused_and_removes_nothing(run: Path, name: str) -> None:
    checkpoint = (run / "checkpoints" / "last").resolve()
    manifest = read_manifest(checkpoint)
    write_manifest(checkpoint, replace(manifest, **NONSENSE[name](manifest)))
    before = sorted(run.rglob("*"))
    with pytest.raises(CheckpointError):
        train(run, 5, resume=True)
    assert sorted(run.rglob("*")) == before


ROWS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "wider observations": lambda a: {"obs": np.repeat(a["obs"], 2, axis=1)},
    "labels of another type": lambda a: {"labels": a["labels"].astype(np.float64)},
    "labels of another shape": lambda a: {"labels": a["labels"][:, 0]},
    "steps that are no numbers of steps": lambda a: {"steps": a["steps"].astype(np.float32)},
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_do_not_fit_the_environment_are_refused(run: Path, name: str) -> None:
    checkpoint = (run / "checkpoints" / "last").resolve()
    manifest, shard = (
        read_manifest(checkpoint),
        run / "checkpoints/aggregate/round_0002.safetensors",
    )
    rows = read_arrays(shard, manifest.shards[1].sha256, run)
    sha256 = write_arrays(shard, {**rows, **ROWS[name](rows)})
    shards = [*manifest.shards]
    shards[1] = replace(shards[1], sha256=sha256)
    write_manifest(checkpoint, replace(manifest, shards=tuple(shards)))
    with pytest.raises(CheckpointError, match=r"round_0002.safetensors contains '\w+' as"):
        train(run, 5, resume=True)


@pytest.mark.parametrize("lost", ["x", "seeds"])
def test_a_state_of_other_environments_is_refused(run: Path, lost: str) -> None:
    checkpoint = (run / "checkpoints" / "last").resolve()
    manifest, path = read_manifest(checkpoint), checkpoint / "env.safetensors"
    arrays = read_arrays(path, manifest.files[path.name], run)
    sha256 = write_arrays(path, {name: a for name, a in arrays.items() if name != lost})
    write_manifest(checkpoint, replace(manifest, files={**manifest.files, path.name: sha256}))
    with pytest.raises(CheckpointError, match="contains no state of these environments"):
        train(run, 5, resume=True)


def test_a_manifest_that_leads_to_a_device_is_not_read(run: Path) -> None:
    path = (run / "checkpoints" / "last").resolve() / "checkpoint.json"
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_manifest(path.parent)
