"""Reading of a data set, whatever its format."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.data.episodes import Episodes
from dagger_cli.data.npz import read_npz
from dagger_cli.utils.system import at_home

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


def read_episodes(given: str | Path) -> Episodes:
    """Reads a file or folder; raises ConfigError where it is missing or of no known format."""
    path = at_home(given)
    if not path.exists():
        raise ConfigError(f"there is no data set at {path}")
    if path.suffix.lower() in PICKLES:
        raise ConfigError(
            f"{path} is a pickle, which can run any code when it is read: where you trust it, "
            "convert it, for imitation's by imitation.data.serialize.save(FOLDER, "
            "imitation.data.serialize.load(FILE)), else by numpy.savez(FILE, obs=..., acts=..., "
            "episode=...)"
        )
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() == ".parquet":
        from dagger_cli.data.parquet import read_parquet

        return read_parquet(path)
    if path.suffix.lower() == ".npz":
        return read_npz(path)
    raise ConfigError(
        f"{path} is no data set: give a file .npz or .parquet, or a folder of Minari, LeRobot or "
        "imitation"
    )


def _folder(path: Path) -> Episodes:
    if (path / "meta" / "info.json").is_file():
        from dagger_cli.data.lerobot_read import read_lerobot

        return read_lerobot(path)
    if (path / "data").is_dir():
        from dagger_cli.data.minari_format import read_minari

        return read_minari(path)
    if (path / "dataset_info.json").is_file():
        from dagger_cli.data.imitation import read_imitation

        return read_imitation(path)
    raise ConfigError(
        f"{path} is no data set: it has neither meta/info.json (LeRobot) nor data/ (Minari) nor "
        "dataset_info.json (imitation)"
    )


def digest_of(given: str | Path) -> str:
    """Returns the SHA-256 digest of a file, or of the names and contents of a folder's files."""
    path, digest = at_home(given), hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode())
            with file.open("rb") as content:
                while chunk := content.read(2**20):
                    digest.update(chunk)
    return digest.hexdigest()
