"""`env=handwriting`: Taskar's OCR letters, ten folds, as sequences to be labelled."""

from __future__ import annotations

from dagger_cli.core.types import Array
from dagger_cli.envs.handwriting.download import cached_letters
from dagger_cli.envs.handwriting.letters import parse_letters, read_letters
from dagger_cli.envs.handwriting.synthetic import synthetic_letters
from dagger_cli.envs.sequences.env import ObservationConfig
from dagger_cli.envs.sequences.source import SequenceSource
from dagger_cli.envs.sequences.table import Sequences, split_folds, validated_on_test
from dagger_cli.utils.system import at_home


def handwriting(
    *,
    id: str,
    data: str | None,
    fold: int,
    held_out: int,
    validate_on_test: bool,
    history: int,
    before: int,
    after: int,
) -> SequenceSource:
    """Creates the source of `env=handwriting`.

    `data` is a path, `synthetic`, or None for the cache or a download; `fold` and `held_out` are as
    in `split_folds`, `validate_on_test` as in `validated_on_test`.
    """
    config = ObservationConfig(history, before, after)
    words, folds = _load(data)
    split = validated_on_test(split_folds(folds, fold, held_out), validate_on_test)
    return SequenceSource(id, words, split, config)


def _load(data: str | None) -> tuple[Sequences, Array]:
    if data is None:
        return parse_letters(cached_letters(), "letter.data")
    if data == "synthetic":
        return synthetic_letters()
    return read_letters(at_home(data))
