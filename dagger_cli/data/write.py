"""Writing of a data set in any format."""

from __future__ import annotations

from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import one_of
from dagger_cli.data.episodes import Episodes
from dagger_cli.data.npz import write_npz

FORMATS = {"npz": ".npz", "parquet": ".parquet", "minari": "", "lerobot": ""}  # and their suffixes


def check_target(format: str, path: Path) -> None:
    """Raises ConfigError for an unknown format and for a path it cannot be written to."""
    one_of("format", format, FORMATS)
    suffix = FORMATS[format]
    if suffix and path.suffix != suffix:
        raise ConfigError(f"path={path} must end in {suffix} for format={format}")
    if not suffix and path.exists():
        raise ConfigError(f"{path} exists: format={format} writes a new folder, name another one")
    if format == "minari":
        from dagger_cli.data.minari_format import check_name

        check_name(path)
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent} to write to: create it first")


def write_episodes(episodes: Episodes, format: str, path: Path) -> None:
    """Writes the episodes to a new file or folder, see `check_target`."""
    if format == "npz":
        write_npz(episodes, path)
    elif format == "parquet":
        from dagger_cli.data.parquet import write_parquet

        write_parquet(episodes, path)
    elif format == "minari":
        from dagger_cli.data.minari_format import write_minari

        write_minari(episodes, path)
    else:
        from dagger_cli.data.lerobot_write import write_lerobot

        write_lerobot(episodes, path)
