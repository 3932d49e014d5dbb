"""The metrics as event files for TensorBoard.

The x-axis is the number of labels used, the cost of a run, which makes runs with rounds of
different sizes comparable; `train/round` is the round.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import scalars
from dagger_cli.tracking.tensorboard_events import LAST_TAG, forget_after
from dagger_cli.tracking.write_errors import writing


class TensorBoard:
    """Observer that writes to `folder`.

    `round` and `labels` are those that a resumed run continues from: events of later rounds, which
    will be repeated, are removed.
    """

    def __init__(self, folder: Path, *, round: int, labels: int) -> None:
        self._folder, self._labels = folder, labels
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if round:
                forget_after(folder, round)
            self._writer = _summary_writer(folder, labels + 1 if labels else None)

    def start(self, config_text: str) -> None:
        """Records the config."""
        with writing(self._folder):
            # Indented text is shown verbatim; anything else is rendered as Markdown.
            text = "".join(f"    {line}\n" for line in config_text.splitlines())
            self._writer.add_text("config", text, self._labels)
            self._writer.flush()

    def __call__(self, finished: Round) -> None:
        """Records one round."""
        self._labels = finished.state.usage.labels
        with writing(self._folder):
            for name, value in scalars(finished).items():
                self._writer.add_scalar(name, value, self._labels)
            self._writer.add_scalar(LAST_TAG, finished.state.round, self._labels)
            self._writer.flush()

    def finish(self, hparams: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Records settings and results for the HPARAMS tab.

        Settings that are not numbers, strings or booleans are shown as text.
        """
        from torch.utils.tensorboard.summary import hparams as summaries

        shown = {
            name: value if isinstance(value, (bool, int, float, str)) else str(value)
            for name, value in hparams.items()
        }
        with writing(self._folder):
            # SummaryWriter.add_hparams would put these into a separate run next to this one.
            for summary in summaries(shown, dict(metrics)):  # type: ignore[no-untyped-call]
                self._writer.file_writer.add_summary(summary)
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, self._labels)
            self._writer.flush()

    def close(self) -> None:
        with writing(self._folder):
            self._writer.close()


def _summary_writer(folder: Path, purge_step: int | None) -> Any:
    with warnings.catch_warnings():
        # Some versions of tensorboard and protobuf use deprecated parts of Python or setuptools.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*pkg_resources", category=UserWarning)
        from torch.utils.tensorboard import SummaryWriter

    _silence_its_thread()
    return SummaryWriter(str(folder), purge_step=purge_step)


def _silence_its_thread() -> None:
    """Suppresses the traceback of a failed write.

    SummaryWriter writes in a separate thread. A failure there (a full disk) is raised again by the
    next call from here, but Python would also print it, as for any thread that fails.
    """
    usual = threading.excepthook

    def unless_tensorboard(failure: threading.ExceptHookArgs) -> None:
        ours = type(failure.thread).__module__.startswith("tensorboard.")
        if not (ours and isinstance(failure.exc_value, OSError)):
            usual(failure)

    if getattr(usual, "__name__", "") != unless_tensorboard.__name__:
        threading.excepthook = unless_tensorboard
