"""The published letters in the user's cache: downloaded once, verified on every use."""

from __future__ import annotations

from dagger_cli.core.errors import EnvError
from dagger_cli.envs.handwriting.letters import SIZE, check_original, uncompress
from dagger_cli.utils.files import read_bytes, write_bytes
from dagger_cli.utils.system import cache_folder

URL = "https://ai.stanford.edu/~btaskar/ocr/letter.data.gz"
TIMEOUT = 60  # seconds without a byte
WITHOUT_IT = (
    "give the path of a letter.data or letter.data.gz with env.data=path, or use synthetic words "
    "with env.data=synthetic"
)


def cached_letters(url: str = URL) -> bytes:
    """Returns the uncompressed `letter.data`, from the cache or else from the network.

    Raises EnvError, with the alternatives, where neither has the published bytes.
    """
    path = cache_folder() / "letter.data.gz"
    if path.is_file():
        return _checked(read_bytes(path, SIZE), str(path))
    packed = _download(url)
    text = _checked(packed, url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, packed)
    except OSError as err:
        raise EnvError(
            f"the letters cannot be stored in '{path.parent}' ({err.strerror}): set DAGGER_CACHE "
            f"to a writable folder, or {WITHOUT_IT}"
        ) from err
    return text


def _download(url: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=TIMEOUT) as answer:
            return bytes(answer.read(SIZE))
    except (OSError, HTTPException) as err:
        reason = getattr(err, "reason", None) or err
        raise EnvError(
            f"the letters are not in the cache and cannot be downloaded from {url} ({reason}): "
            f"{WITHOUT_IT}"
        ) from err


def _checked(packed: bytes, name: str) -> bytes:
    text = uncompress(packed, name)
    check_original(text, name)
    return text
