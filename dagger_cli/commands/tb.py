"""`dagger tb`: starts TensorBoard on runs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.system import safe_environ


def tensorboard(folders: Sequence[Path], flags: Sequence[str]) -> int:
    """Runs TensorBoard on the folders until it is ended; returns its exit code.

    Raises ConfigError where it is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ConfigError("dagger tb needs tensorboard, which is not installed: pip install it")
    command = [sys.executable, "-m", "tensorboard.main", *_where(folders), *flags]
    try:
        code = subprocess.run(command, check=False, env=safe_environ()).returncode
    except OSError as err:
        raise ConfigError(f"TensorBoard cannot be started ({err.strerror})") from err
    if code > 0:
        raise ConfigError(
            f"TensorBoard ended with exit code {code}, see above: if the port is taken, "
            "add --port 6007"
        )
    return 0


def _where(folders: Sequence[Path]) -> list[str]:
    """Returns the flag for one folder, or for several with their paths as names."""
    if len(folders) == 1:
        return ["--logdir", str(folders[0])]
    return ["--logdir_spec", ",".join(f"{_name(one)}:{one.absolute()}" for one in folders)]


def _name(folder: Path) -> str:
    return shown_path(folder).replace(":", "_").replace(",", "_").strip("/")
