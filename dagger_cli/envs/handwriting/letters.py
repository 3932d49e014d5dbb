"""Taskar's OCR letters (Kassel's words, cleaned by Taskar): the file `letter.data` as sequences.

52,152 letters of 16 x 8 black or white pixels in 6,877 words of 10 folds. Every line, tab separated
and ended by a tab: id, letter, next id (-1 at a word's end), word id, position, fold, 128 pixels
row by row. Words have lost their capital first letter.
"""

from __future__ import annotations

import hashlib
import string
import zlib
from pathlib import Path

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array
from dagger_cli.envs.sequences.table import Sequences
from dagger_cli.utils.files import read_bytes

IMAGE = (16, 8)
ALPHABET = tuple(string.ascii_lowercase)
FOLDS = 10
SIZE = 14_557_249
SHA256 = "535363d0b7bc34246b1f8731719540f526b6807b12dda5d430d011d160bc7882"  # uncompressed

_COLUMNS = 6 + IMAGE[0] * IMAGE[1]


def read_letters(path: Path) -> tuple[Sequences, Array]:
    """Returns the words of a `letter.data`, plain or gzipped, and each word's fold (W,).

    Accepts any file of that format, not only the original; raises EnvError for others.
    """
    return parse_letters(_uncompressed(path), str(path))


def check_original(text: bytes, name: str) -> None:
    """Raises EnvError unless the bytes are those of the published letters."""
    if hashlib.sha256(text).hexdigest() != SHA256:
        raise EnvError(
            f"'{name}' is not the published letter.data (its uncompressed bytes have another "
            "sha256): delete it if it is in the cache, or give your own file with env.data=path"
        )


def parse_letters(text: bytes, name: str) -> tuple[Sequences, Array]:
    """Parses the uncompressed bytes of a file; `name` is for messages."""
    letters, rows = [], []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.rstrip(b"\t").split(b"\t")
        if len(fields) != _COLUMNS or len(fields[1]) != 1 or not b"a" <= fields[1] <= b"z":
            raise EnvError(
                f"'{name}', line {number}: not a line of letter.data ({_COLUMNS} tab-separated "
                "columns, the second one letter from a to z)"
            )
        letters.append(fields[1][0] - ord("a"))
        rows.append(b" ".join([fields[2], fields[5], *fields[6:]]))
    if not rows:
        raise EnvError(f"'{name}' is empty: give a letter.data, or env.data=synthetic")
    try:
        numbers = np.array(b" ".join(rows).split(), np.int32).reshape(len(rows), -1)
    except ValueError as err:
        raise EnvError(f"'{name}' is not a letter.data: {err}") from err
    next_ids, folds, pixels = numbers[:, 0], numbers[:, 1], numbers[:, 2:]
    if not np.isin(pixels, (0, 1)).all() or not np.isin(folds, range(FOLDS)).all():
        raise EnvError(f"'{name}': pixels must be 0 or 1, and folds 0 to {FOLDS - 1}")
    last = np.flatnonzero(next_ids == -1)
    if not last.size or last[-1] != len(rows) - 1:
        raise EnvError(f"'{name}' ends within a word: it was cut off; download it again")
    starts = np.concatenate([[0], last + 1])
    labels = np.array(letters, np.int64)
    words = Sequences(pixels.astype(np.uint8), labels, starts, ALPHABET, IMAGE)
    return words, folds[starts[:-1]].astype(np.int64)


def _uncompressed(path: Path) -> bytes:
    try:
        raw = read_bytes(path, 10 * SIZE)
    except OSError as err:
        raise EnvError(
            f"env.data={path}: cannot be read ({err.strerror}); give the path of letter.data(.gz), "
            "or env.data=synthetic"
        ) from err
    return uncompress(raw, str(path))


def uncompress(raw: bytes, name: str) -> bytes:
    """Decompresses gzip data, but never more than ten times the size of the real data."""
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        inflate = zlib.decompressobj(wbits=31)
        text = inflate.decompress(raw, 10 * SIZE)
    except zlib.error as err:
        raise EnvError(f"'{name}' is a damaged gzip file ({err}); download it again") from err
    if not inflate.eof:
        raise EnvError(f"'{name}' is cut off, or too large for letters; download it again")
    return text
