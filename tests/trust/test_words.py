"""No command line, however odd, ends in a traceback or leaves half a run."""

from __future__ import annotations

from pathlib import Path

from .running import Commands
from .words import VALID, fault, lists


def test_the_valid_words_train(commands: Commands, tmp_path: Path) -> None:
    done = commands.run(["train", *VALID, "hydra.run.dir=run"], tmp_path)
    assert (done.code, done.err) == (0, "") and (tmp_path / "run" / "summary.json").exists()


def test_odd_words_get_a_sentence(
    commands: Commands, tmp_path: Path, seed: int, scale: float
) -> None:
    for number, words in enumerate(lists(seed, int(40 * scale))):
        folder = tmp_path / str(number)
        folder.mkdir()
        wrong = fault(commands.run(words, folder), folder)
        assert wrong is None, (seed, number, words, wrong)
