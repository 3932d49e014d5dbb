"""The metrics as event files for TensorBoard.

The x-axis is the number of labels used, the cost of a run, which makes runs with rounds of
different sizes comparable; `train/round` is the round.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import scalars
from dagger_cli.tracking.tensorboard_events import LAST_TAG, forget_after
from dagger_cli.tracking.write_errors import writing

_FIRST = 3  # settings that come first in the HPARAMS tab
_RGB = 3  # the code of a coloured image


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

        Settings that are not numbers, strings or booleans are shown as text. The tab sorts its
        columns by name, those marked as differing before the others: the first three are marked.
        """
        from torch.utils.tensorboard.summary import hparams as summaries

        shown = {
            name: value if isinstance(value, (bool, int, float, str)) else str(value)
            for name, value in hparams.items()
        }
        with writing(self._folder):
            # SummaryWriter.add_hparams would put these into a separate run next to this one.
            columns, *others = summaries(shown, dict(metrics))  # type: ignore[no-untyped-call]
            _mark(columns, [*shown][:_FIRST])
            for summary in (columns, *others):
                self._writer.file_writer.add_summary(summary)
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, self._labels)
            self._writer.flush()

    def image(self, tag: str, file: bytes) -> None:
        """Records a picture, a PNG or a GIF, for the IMAGES tab."""
        import io

        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        width, height = Image.open(io.BytesIO(file)).size
        shown = Summary.Image(
            encoded_image_string=file, width=width, height=height, colorspace=_RGB
        )
        with writing(self._folder):
            summary = Summary(value=[Summary.Value(tag=tag, image=shown)])
            self._writer.file_writer.add_summary(summary, self._labels)
            self._writer.flush()

    def close(self) -> None:
        with writing(self._folder):
            self._writer.close()


def _mark(columns: Any, names: Sequence[str]) -> None:
    """Marks settings as differing between runs, in the summary of the tab's columns."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    data = columns.value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(data.content)
    for info in content.experiment.hparam_infos:
        info.differs = info.name in names
    data.content = content.SerializeToString()


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
