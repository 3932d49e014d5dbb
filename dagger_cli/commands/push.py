"""`dagger push`: uploads a trained policy and its model card to the Hub, in one commit."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dagger_cli.config.trust import foreign_packages
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.experts.hub_client import upload
from dagger_cli.experts.student import played_round
from dagger_cli.publish.card import card_text
from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.manifest import Manifest
from dagger_cli.tracking.metrics import points_in
from dagger_cli.tracking.run_paths import MANIFEST, METRICS, POLICY, check_inside
from dagger_cli.tracking.safetensors_io import MAX_BYTES
from dagger_cli.utils.curve import CURVE_TITLE
from dagger_cli.utils.curve_png import curve_png
from dagger_cli.utils.files import read_bytes
from dagger_cli.utils.system import at_home

FROM_RUN = ("config.yaml", "metrics.jsonl", "summary.json", "versions.json")


def push(
    checkpoint: str, repo_id: str, *, private: bool, video: str | None, message: str | None
) -> None:
    """Uploads a checkpoint; raises DaggerError before the upload where a file is invalid."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id):
        raise ConfigError(f"repo_id must look like user/name, got '{repo_id}'")
    folder = resolve_checkpoint(checkpoint)
    manifest = read_manifest(folder)
    files = _files(repo_id, folder, manifest, None if video is None else at_home(video))
    what = f"Round {manifest.round} of {manifest.config['trainer']['name']}"
    message = message or f"{what} in {manifest.config['env']['id']}"
    size = sum(map(len, files.values())) / 2**20
    console = Console()
    where = f"{repo_id} ({'private' if private else 'public'} if it is new)"
    console.start([("checkpoint", str(folder)), ("to", where), ("size", f"{size:.1f} MiB")])
    url = upload(repo_id, files, private=private, message=message)
    packages = foreign_packages(manifest.config, ("policy",))
    trust = f" trust=[{','.join(packages)}]" if packages else ""
    console.start([("pushed", url), ("use it", f"expert=hub expert.repo_id={repo_id}{trust}")])


def _files(repo_id: str, folder: Path, manifest: Manifest, video: Path | None) -> dict[str, bytes]:
    """Returns the files to upload: checkpoint, records of the run, model card and pictures."""
    run = folder.parent.parent if folder.parent.name == "checkpoints" else folder
    names = {name: check_inside(folder / name, folder) for name in (MANIFEST, POLICY)}
    # A symbolic link in an untrusted folder could publish a file outside it.
    there = [name for name in FROM_RUN if (run / name).is_file()]
    names |= {name: check_inside(run / name, run) for name in there}
    if video is not None:
        if video.suffix.lower() != ".mp4" or not video.is_file():
            raise ConfigError(
                f"video={video} is not an .mp4 file; record one with dagger eval checkpoint=... "
                "video=walk.mp4 episodes=1"
            )
        names["replay.mp4"] = video
    try:
        files = {name: read_bytes(path, MAX_BYTES) for name, path in names.items()}
    except OSError as err:
        raise CheckpointError(f"cannot read {err.filename} ({err.strerror})") from err
    if hashlib.sha256(files[POLICY]).hexdigest() != manifest.files.get(POLICY):
        raise CheckpointError(f"{names[POLICY]} is truncated or altered, so it is not uploaded")
    points = points_in(files.get(METRICS, b""), manifest.round)
    scores = _scores(files, manifest.round)
    if points:
        files["curve.png"] = curve_png(points, CURVE_TITLE)
    if "student" in scores:
        files["results.json"] = _results(scores["student"])
    facts = {
        "trainer": manifest.config["trainer"]["name"],
        "trained_in": manifest.config["env"]["id"],
        "round": manifest.round,
        "labels": manifest.usage.labels,
        "env_steps": manifest.usage.env_steps,
        "dagger_version": manifest.dagger_version,
    }
    expert, config = asdict(manifest.expert), manifest.config
    text = card_text(repo_id, facts, expert, config, scores, points, video=video is not None)
    return {**files, "README.md": text.encode()}


def _scores(files: Mapping[str, bytes], round: int) -> dict[str, dict[str, Any]]:
    """Returns the rows of the run's final table, empty where it is of another round."""
    try:
        summary = json.loads(files.get("summary.json", b"null"))
        if played_round(summary) != round:
            return {}
        scores = {name: summary[name] for name in ("student", "expert")}
        return {name: score for name, score in scores.items() if score is not None}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _results(score: Mapping[str, Any]) -> bytes:
    """Returns results.json in the format of rl-baselines3-zoo."""
    value = {
        "mean_reward": score["mean"],
        "std_reward": score["std"],
        "n_eval_episodes": score["episodes"],
        "is_deterministic": True,
    }
    return json.dumps(value).encode()
