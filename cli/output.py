"""Where results and progress go: results to stdout, as text or one JSON object; progress to stderr."""

import json
import sys

import click

_PIPE_WIDTH = 200  # columns where there is no terminal: nothing is cut


def print_json(value):
    """Print ``value`` as the one JSON object of this command."""
    click.echo(json.dumps(value, allow_nan=False))


def show(*items):
    """Print to stdout: lines of text, lists of (name, value) pairs, and tables."""
    from rich.console import Console

    from eventsim.report.tables import fact_lines

    terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(highlight=False, markup=False, emoji=False, width=None if terminal else _PIPE_WIDTH)
    for item in items:
        lines = fact_lines(item, console.width if terminal else None) if isinstance(item, list) else [item]
        for line in lines:
            console.print(line, soft_wrap=isinstance(line, str))


def progress_console():
    """The console on stderr, where progress and remarks go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def busy(description):
    """A sign of life on stderr while something of unknown length runs, absent where that is no terminal."""
    return progress_console().status(description)


def track(description, total):
    """A progress bar on stderr, absent where that is no terminal; call the result's ``advance`` and ``update``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = progress_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    progress.add_task(description, total=total)
    return progress
