"""Writes docs/licences.md: the licence of every package that `pip install dagger-cli` brings along.

    python scripts/licences.py

As the packages' own metadata say, in this environment.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

OUT = Path(__file__).resolve().parents[1] / "docs" / "licences.md"
HEAD = """# Licences of the dependencies

Every package that `pip install dagger-cli` brings along on Linux, with the licence that its own
metadata name. Written by `python scripts/licences.py`. dagger-cli itself is under the MIT licence.

| package | licence |
|---|---|
"""


def brought_along(name: str) -> set[str]:
    """Returns the names of the packages that are installed with one."""
    seen: set[str] = set()
    waiting = [(name, "")]
    done: set[tuple[str, str]] = set()
    while waiting:
        one, extra = waiting.pop()
        if (one, extra) in done:
            continue
        done.add((one, extra))
        try:
            wanted = map(Requirement, metadata.requires(one) or [])
        except metadata.PackageNotFoundError:  # of another system
            continue
        seen.add(metadata.metadata(one)["Name"])
        for r in wanted:
            if r.marker is None or r.marker.evaluate({"extra": extra}):
                waiting += [(r.name, e) for e in ("", *r.extras)]
    return seen - {name}


def licence_of(name: str) -> str:
    """Returns the licence in a package's metadata: expression, classifiers, or its first line."""
    found = metadata.metadata(name)
    if found.get("License-Expression"):
        return str(found["License-Expression"])
    classes = [c.split(" :: ")[-1] for c in found.get_all("Classifier") or [] if "License ::" in c]
    text = (found.get("License") or "").strip().splitlines()
    return ", ".join(c for c in classes if c != "OSI Approved") or (
        text[0] if text else "not named"
    )


def main() -> None:
    names = sorted(brought_along("dagger-cli"), key=str.lower)
    rows = [f"| {name} | {licence_of(name)} |" for name in names]
    OUT.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
