"""HTML of what reports consist of: names and values, tables, lines, and pictures beside them."""

import html
import itertools

from rich.table import Table

_MOST_TEXT = 400  # characters of a name, value or cell
_MOST_ROWS = 40
_MOST_COLUMNS = 24
_CELL = "padding:1px 12px 1px 0;white-space:nowrap;border:0"
_DIM = "opacity:.7"


class Markup(str):
    """HTML as it stands; every other text is escaped."""


def text(value) -> str:
    """Any value as escaped text that is not too long."""
    shown = str(value)
    return html.escape(shown if len(shown) <= _MOST_TEXT else shown[: _MOST_TEXT - 1] + "…")


def fragment(title, *items, beside=()) -> str:
    """What a notebook shows: a title; lines, lists of (name, value) pairs and tables; and pictures on their left."""
    body = "".join(_item(item) for item in items if item != "")
    pictures = "".join(f"<div>{picture}</div>" for picture in beside)
    if pictures:
        body = (f'<div style="display:flex;flex-wrap:wrap;gap:8px 24px;align-items:flex-start"><div>{pictures}</div>'
                f"<div>{body}</div></div>")
    return f'<div style="line-height:1.4"><div style="margin-bottom:6px"><b>{text(title)}</b></div>{body}</div>'


def _item(item):
    if isinstance(item, Markup):
        return item
    if isinstance(item, Table):
        return _table(item)
    return _facts(item) if isinstance(item, list) else f'<div style="margin:6px 0">{text(item)}</div>'


def _row(cells, aligned, style=""):
    tds = "".join(f'<td style="{_CELL};text-align:{align}{style}">{cell}</td>'
                  for cell, align in zip(cells, aligned, strict=True))
    return f'<tr style="background:none">{tds}</tr>'


def _whole(rows):
    return f'<table style="border-collapse:collapse;margin:6px 0;font-size:inherit">{"".join(rows)}</table>'


def _facts(pairs):
    # The values wrap where they are long.
    return _whole(
        f'<tr style="background:none"><td style="{_CELL};text-align:left;vertical-align:top;{_DIM}">{text(name)}</td>'
        f'<td style="{_CELL};text-align:left;white-space:normal">{text(value)}</td></tr>' for name, value in pairs)


def _table(table):
    columns = table.columns[:_MOST_COLUMNS]
    aligned = [column.justify for column in columns]
    rows = [_row([text(column.header) for column in columns], aligned, f";{_DIM}")]
    cells = list(itertools.zip_longest(*(column.cells for column in columns), fillvalue=""))
    left_out = len(cells) - _MOST_ROWS
    if left_out > 0:  # the last row is of all of them
        cells[_MOST_ROWS - 1 : -1] = [(f"{left_out} more", *("" for _ in columns[1:]))]
    rows += [_row(map(text, row), aligned) for row in cells]
    return _whole(rows)
