"""A report as one HTML file that loads nothing: styles, figures and small GIFs are in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from dagger_cli.report.blocks import Block, Code, Figure, Folded, Heading, Media, Row, Table, Text
from dagger_cli.report.figure_style import inline
from dagger_cli.utils.terminal import printable

_STYLE = """\
:root{color-scheme:light dark;--page:#fff;--ink:#1a1c1f;--soft:#5a616b;
--grid:#d9dde2;--panel:#f4f6f8}
@media (prefers-color-scheme:dark){:root{--page:#15181c;--ink:#e4e7eb;--soft:#9aa3ae;--grid:#3a414a;
--panel:#1e2329}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:1400px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1,h2,h3{line-height:1.25;margin:2rem 0 .6rem;overflow-wrap:anywhere}
h1{margin-top:.5rem;font-size:1.6rem}
h2{border-bottom:1px solid var(--grid);padding-bottom:.3rem}h3{font-size:1.05rem}
p{max-width:70rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;font-size:.9rem}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums;vertical-align:top}
th{color:var(--soft);font-weight:600}
.text{text-align:left;white-space:normal;overflow-wrap:break-word;max-width:40rem}
pre{background:var(--panel);padding:.6rem .8rem;overflow-x:auto;font-size:.85rem;border-radius:4px}
details{margin:.8rem 0}summary{cursor:pointer;color:var(--soft)}
.row{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:1rem}
figure{margin:.5rem 0;min-width:0}figure.wide{grid-column:1/-1;overflow-x:auto}
svg{width:100%;height:auto;max-width:640px;display:block}.wide svg{max-width:none;min-width:680px}
figcaption{color:var(--soft);font-size:.85rem}img{max-width:100%}
"""


def html(blocks: Sequence[Block], title: str) -> str:
    """Returns the text of report.html."""
    body = "\n".join(part for block in blocks for part in _parts(block))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        # No script and nothing from elsewhere runs or loads, whatever a run's files contain.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data: 'self'; media-src 'self'\">\n"
        f"<title>{_text(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _parts(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    elif isinstance(block, Text):
        yield f"<p>{_text(block.text)}</p>"
    elif isinstance(block, Code):
        yield "<pre>" + "\n".join(map(_text, block.lines)) + "</pre>"
    elif isinstance(block, Table):
        yield _table(block)
    elif isinstance(block, Media):
        yield _media(block)
    elif isinstance(block, Folded):
        yield f"<details><summary>{_text(block.summary)}</summary>"
        for inner in block.blocks:
            yield from _parts(inner)
        yield "</details>"
    elif isinstance(block, Row):
        yield '<div class="row">'
        yield from map(_figure, block.figures)
        yield "</div>"


def _table(table: Table) -> str:
    kinds = [' class="text"'] * table.texts + [""] * (len(table.columns) - table.texts)
    head = _cells("th", kinds, table.columns)
    body = "\n".join(f"<tr>{_cells('td', kinds, row)}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>'


def _cells(tag: str, kinds: Sequence[str], texts: Sequence[str]) -> str:
    cells = zip(kinds, texts, strict=True)
    return "".join(f"<{tag}{kind}>{_text(text)}</{tag}>" for kind, text in cells)


def _figure(figure: Figure) -> str:
    kind = ' class="wide"' if figure.wide else ""
    caption = f"<figcaption>{_text(figure.caption)}</figcaption>"
    return f"<figure{kind}>{inline(figure.svg, figure.caption)}{caption}</figure>"


def _media(media: Media) -> str:
    link = f'<a href="{escape(quote(media.link))}">{_text(media.name)}</a>'
    if media.gif is None:
        return f"<p>{link}</p>"
    data = base64.b64encode(media.gif).decode()
    return f'<figure><img alt="" src="data:image/gif;base64,{data}"><br>{link}</figure>'


def _text(text: str) -> str:
    return escape(printable(text))
