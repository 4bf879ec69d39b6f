"""Tables without lines: a name on the left, figures aligned on the right."""

import sys
import textwrap

from rich.table import Table

_NAME = 11  # columns of the names in front of facts
_WIDTH = 80


def plain_table(header, rows) -> Table:
    """A table of text; the first column is aligned left, the others right.

    Columns stand two apart, or one where the table would be wider than 80 columns otherwise.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= _WIDTH else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def fact_lines(pairs, width=None) -> list[str]:
    """A line for every name and value; with ``width``, long values go on below themselves."""
    pairs = list(pairs)
    lines, column = [], max([_NAME, *(len(name) + 1 for name, _ in pairs)])
    for name, value in pairs:
        room = max(20, width - column) if width else sys.maxsize
        first, *more = textwrap.wrap(str(value), room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{name:<{column}}{first}", *(" " * column + line for line in more)]
    return lines


def wide_rows(*rows, most=20):
    """A table of few long rows, (name, values); what is past the first ``most`` values is only counted."""
    n = len(rows[0][1])
    cells = [(name, *map(str, list(values)[:most])) for name, values in rows]
    table = plain_table(cells[0], cells[1:])
    if n > most:
        table.add_column(f"and {n - most} more")
    return table
