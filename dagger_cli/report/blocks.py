"""Content of a report, independent of its format; all texts are plain and are escaped later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """Heading of level 1 to 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """Paragraph."""

    text: str


@dataclass(frozen=True)
class Code:
    """Commands, one per line."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Table; columns after the first `texts` are numbers, aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


@dataclass(frozen=True)
class Figure:
    """Figure `name`.svg and `name`.png; `wide` ones scroll on narrow screens."""

    name: str
    caption: str
    svg: str = field(repr=False)
    png: bytes = field(repr=False)
    wide: bool = False


@dataclass(frozen=True)
class Media:
    """Image or video of a run: the path to link, and the bytes of a GIF small enough to embed."""

    name: str
    link: str
    gif: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Folded:
    """Blocks that are hidden until the reader opens them."""

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Row:
    """Figures beside each other where there is room."""

    figures: tuple[Figure, ...]


Block = Heading | Text | Code | Table | Media | Folded | Row


def figures_in(blocks: Sequence[Block]) -> list[Figure]:
    """Returns all figures, in order."""
    found: list[Figure] = []
    for block in blocks:
        if isinstance(block, Row):
            found += block.figures
        elif isinstance(block, Folded):
            found += figures_in(block.blocks)
    return found
