"""Reads a stable-baselines3 archive as plain data: JSON text and arrays; no pickle is loaded."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.experts.sb3.torch_file import read_checkpoint
from dagger_cli.experts.sb3.zip_guard import refuse_long_directory
from dagger_cli.utils.files import check_regular

MAX_ARCHIVE_BYTES = 2 * 2**30  # may include optimizer states, which are not read
MAX_MEMBERS = 1000
MAX_DATA_BYTES = 16 * 2**20
MAX_POLICY_BYTES = 64 * 2**20  # Atari agents have some 15
_PIECE = 2**20


@dataclass(frozen=True)
class Archive:
    """`data` is the JSON text about the algorithm, `tensors` the state of its policy."""

    data: Mapping[str, Any]
    tensors: Mapping[str, Array]
    sha256: str
    version: str | None

    @property
    def recurrent(self) -> bool:
        """Whether an LSTM is in front of the actor's layers (RecurrentPPO)."""
        return any(name.startswith("lstm_actor.") for name in self.tensors)

    def text(self, key: str, field: str) -> str | None:
        """Returns a field of a pickled object from the plain text beside it."""
        entry = self.data.get(key)
        value = entry.get(field) if isinstance(entry, dict) else None
        return None if value is None else str(value)


def read_archive(path: Path) -> Archive:
    """Reads an archive; raises ExpertError, with one sentence, for anything invalid."""
    try:
        return _read(path)
    except ExpertError as err:
        raise ExpertError(f"cannot use '{path}': {err}") from err


def _read(path: Path) -> Archive:
    digest = sha256_of(path)
    try:
        with path.open("rb") as file, _opened(file) as archive:
            _check_members(archive.infolist())
            names = set(archive.namelist())
            if not {"data", "policy.pth"} <= names:
                raise ExpertError("it is not a stable-baselines3 archive (no data and policy.pth)")
            data = _parse(_member(archive, "data", MAX_DATA_BYTES))
            tensors = read_checkpoint(_member(archive, "policy.pth", MAX_POLICY_BYTES))
            version = None
            if "_stable_baselines3_version" in names:
                raw = _member(archive, "_stable_baselines3_version", 100)
                version = raw.decode("ascii", "replace").strip()
    except ExpertError:
        raise
    except Exception as err:  # zipfile, zlib and struct have different error classes
        raise ExpertError("it is not a zip archive, or it is damaged or truncated") from err
    return Archive(data, tensors, digest, version)


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    refuse_long_directory(file)
    return zipfile.ZipFile(file)


def sha256_of(path: Path) -> str:
    """Returns the file's sha256, reading it in chunks."""
    digest = hashlib.sha256()
    try:
        check_regular(path, MAX_ARCHIVE_BYTES)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as err:
        raise ExpertError(f"it cannot be read ({err.strerror})") from err
    return digest.hexdigest()


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise ExpertError(f"it has {len(members)} members, more than {MAX_MEMBERS}")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise ExpertError("it has two members of one name")
    for member in members:
        name = member.filename
        if re.match(r"[A-Za-z]:|[/\\]", name) or ".." in re.split(r"[/\\]", name):
            raise ExpertError(f"its member '{name[:80]}' points outside of the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ExpertError(f"its member '{name[:80]}' is a symbolic link")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ExpertError(f"its member '{name[:80]}' is neither a file nor a folder")
        if member.flag_bits & 1:
            raise ExpertError(f"its member '{name[:80]}' is encrypted")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Reads one member; checks its declared size and its actual one."""
    info = archive.getinfo(name)
    if info.file_size > limit:
        raise ExpertError(f"its member '{name}' declares {info.file_size >> 20} MiB")
    with archive.open(info) as file:
        content = file.read(limit + 1)
    if len(content) > limit or len(content) != info.file_size:
        raise ExpertError(f"its member '{name}' has another size than declared")
    return content


def _parse(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ExpertError("its description 'data' is not JSON") from err
    if not isinstance(data, dict):
        raise ExpertError("its description 'data' is not a JSON object")
    return data
