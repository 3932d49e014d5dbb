"""Checkpoints: written after every round, read to evaluate and to resume."""

from dagger_cli.tracking.checkpoint_read import changed_code, load_policy, restore
from dagger_cli.tracking.checkpoint_write import CheckpointWriter
from dagger_cli.tracking.locate import resolve_checkpoint, resolve_resumed, resolve_run
from dagger_cli.tracking.manifest import Manifest, read_manifest

__all__ = [
    "CheckpointWriter",
    "Manifest",
    "changed_code",
    "load_policy",
    "read_manifest",
    "resolve_checkpoint",
    "resolve_resumed",
    "resolve_run",
    "restore",
]
