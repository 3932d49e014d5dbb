"""A report as Markdown, with its figures as PNG files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dagger_cli.report.blocks import Block, Code, Folded, Heading, Media, Row, Table, Text
from dagger_cli.utils.terminal import printable


def markdown(blocks: Sequence[Block]) -> str:
    """Returns the text of report.md."""
    return "\n\n".join(part for block in blocks for part in _parts(block)) + "\n"


def _parts(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {escaped(block.text)}"
    elif isinstance(block, Text):
        yield escaped(block.text)
    elif isinstance(block, Code):
        yield "\n".join(f"    {printable(line.replace(chr(10), ' '))}" for line in block.lines)
    elif isinstance(block, Table):
        yield _table(block)
    elif isinstance(block, Media):
        yield f"[{escaped(block.name)}](<{_link(block.link)}>)"
    elif isinstance(block, Folded):
        yield f"**{escaped(block.summary)}**"
        for inner in block.blocks:
            yield from _parts(inner)
    elif isinstance(block, Row):
        for figure in block.figures:
            yield f"![{escaped(figure.caption)}](figures/{figure.name}.png)"


def _table(table: Table) -> str:
    rules = ["---"] * table.texts + ["---:"] * (len(table.columns) - table.texts)
    rows = [table.columns, *table.rows]
    head, *body = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return "\n".join([head, f"|{'|'.join(rules)}|", *body])


def escaped(text: str) -> str:
    """Returns text that Markdown shows as it is, on one line."""
    one_line = printable(" ".join(text.split()))
    return re.sub(r"([\\`*\[\]<>|#~&])|(?<!\w)_|_(?!\w)", lambda found: "\\" + found[0], one_line)


def _link(path: str) -> str:
    return printable(path).replace("<", "%3C").replace(">", "%3E").replace("\n", "%0A")
