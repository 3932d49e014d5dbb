"""The measurements in docs/benchmarks.json: one entry per part, with the one of the run before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Results = dict[str, Any]


def updated(results: Results, name: str, entry: Results) -> Results:
    """Returns the results with a part's new entry, which has the one before it as `before`."""
    earlier = results.get(name)
    if earlier is None:
        return results | {name: entry}
    if "skipped" in entry["figures"] and "skipped" not in earlier["figures"]:
        return results
    before = {key: value for key, value in earlier.items() if key != "before"}
    return results | {name: entry | {"before": before}}


def read(path: Path) -> Results:
    """Reads earlier results; called again after every part, as another process may have written."""
    return dict(json.loads(path.read_text())) if path.exists() else {}
