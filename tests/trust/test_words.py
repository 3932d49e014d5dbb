"""No command line, however odd, ends in a traceback or leaves half a run."""

from __future__ import annotations

import dagger_cli.cli.hydra_app
import dagger_cli.commands.train  # noqa: F401, so that a forked process need not load it

from .words import VALID, lists, outcome


def test_the_valid_words_train(tmp_path) -> None:
    done = outcome(["train", *VALID, "hydra.run.dir=run"])
    assert (done.code, done.err) == (0, "") and "run/summary.json" in done.left


def test_odd_words_get_a_sentence(seed: int, scale: int) -> None:
    done = [outcome(words) for words in lists(seed, 40 * scale)]
    assert {one.words: (one.fault, one.err[-300:]) for one in done if one.fault} == {}
