"""Makes an archive of today look like one that rl-baselines3-zoo uploaded in 2021 and 2022."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostile_files import CALLS

# Python 3.7 byte code as cloudpickle wrote it: a call of a code object's constructor. Here it names
# gym, which is not installed, and a command that leaves a canary, should anybody load it.
_CODE = b"cgym.spaces.box\nBox\n0" + CALLS["reduce"]
PICKLED = base64.b64encode(_CODE).decode()
_NEW_MEMBERS = ("system_info.txt", "_stable_baselines3_version")


def made_old(
    path: Path,
    out: Path,
    *,
    version: str | None = "1.1.0a11",
    shared: int = 0,
    legacy: bool = False,
) -> Path:
    """Write the archive as an old one; `version` None: before there was such a member.

    `shared` layers of the policy become those of an old `net_arch=[64, dict(pi=..., vf=...)]`;
    `legacy` writes tensors as torch did before 1.6.
    """
    with zipfile.ZipFile(path) as new, zipfile.ZipFile(out, "w") as old:
        for name in new.namelist():
            if name in ("data", "policy.pth", *_NEW_MEMBERS):
                continue
            old.writestr(name, new.read(name))
        old.writestr("data", json.dumps(_old_data(json.loads(new.read("data"))), indent=4))
        old.writestr("policy.pth", _old_tensors(new.read("policy.pth"), shared, legacy))
        if version is not None:
            old.writestr("_stable_baselines3_version", version)
    return out


def _old_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Every pickle is replaced, spaces are of `gym`, and what newer versions added is left out."""
    old = {key: value for key, value in data.items() if not key.startswith("_n_updates")}
    for key, value in data.items():
        if isinstance(value, dict) and ":serialized:" in value:
            old[key] = {**value, ":serialized:": PICKLED}
    for key in ("observation_space", "action_space"):
        space = {k: v for k, v in old[key].items() if not k.endswith("_repr") and k != "start"}
        if "_shape" in space:
            space["shape"] = space.pop("_shape")
        kind = str(space[":type:"]).replace("gymnasium", "gym")
        old[key] = {**space, ":type:": kind, "_np_random": "RandomState(MT19937)"}
    return old


def _old_tensors(content: bytes, shared: int, legacy: bool) -> bytes:
    import torch

    tensors = torch.load(io.BytesIO(content), weights_only=True)
    old = {}
    for name, value in tensors.items():
        if name.startswith(("pi_features_extractor.", "vf_features_extractor.")):
            continue  # they came with 1.7, beside the shared one
        old[_old_name(name, shared)] = value
    kept = io.BytesIO()
    torch.save(old, kept, _use_new_zipfile_serialization=not legacy)
    return kept.getvalue()


def _old_name(name: str, shared: int) -> str:
    parts = name.split(".")
    if parts[:2] != ["mlp_extractor", "policy_net"] or not shared:
        return name
    i = int(parts[2])
    if i < 2 * shared:
        return ".".join(["mlp_extractor", "shared_net", str(i), *parts[3:]])
    return ".".join(["mlp_extractor", "policy_net", str(i - 2 * shared), *parts[3:]])
