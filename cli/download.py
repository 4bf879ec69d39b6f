"""``eventsim download``: data sets from where they are published."""

import pathlib

import click

from eventsim.cli import options


@options.command
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--out", type=click.Path(path_type=pathlib.Path), help="Folder to put it in.  [default: NAME]")
@options.json_option
def download(name, out, as_json):
    """Download a data set, or list those that there are.

    Files are fetched from the hosts that publish them and checked by their digests; what is there already is not
    fetched again. Where a connection breaks or falls silent, it is tried again from there, then at the next host.
    Ctrl-C keeps what was fetched, and the same command goes on from it.

    \b
    Examples:
      eventsim download
      eventsim download nmnist --out N-MNIST/
      eventsim download shd && eventsim info shd/
    """
    from eventsim import checks
    from eventsim.cli.output import print_json, show
    from eventsim.data.download import SOURCES
    from eventsim.errors import ConfigError

    if name is None:
        if as_json:
            print_json({key: {"title": source.title, "licence": source.licence, "page": source.page,
                              "files": [item.name for item in source.items]} for key, source in SOURCES.items()})
            return
        show([(key, f"{source.title}, {source.licence}: {source.page}{'' if source.items else ' (by hand)'}")
              for key, source in SOURCES.items()])
        return
    source = SOURCES[checks.choice("data set", name, SOURCES)]
    if not source.items:
        raise ConfigError(f"{source.title} cannot be fetched by a program; get it from {source.page}, unpack it, and "
                          "name its folder with --data")
    folder = pathlib.Path(name) if out is None else out
    paths = [_fetch(item, folder) for item in source.items]
    if as_json:
        print_json({"name": name, "folder": str(folder), "files": [str(path) for path in paths]})
        return
    show([("Data set", source.title), ("Folder", str(folder)), ("Files", ", ".join(path.name for path in paths)),
          ("Licence", f"{source.licence} ({source.page})")], "",
         "What to type next:", f"  eventsim info {folder}/", f"  eventsim train --arch {source.arch} --data {folder}/")


def _fetch(item, folder):
    """One file, with a progress bar on stderr."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from eventsim.cli.output import progress_console
    from eventsim.data.download import fetch

    console = progress_console()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(item.name, total=None)
        return fetch(item, folder, lambda done, total: progress.update(task, completed=done, total=total),
                     lambda sentence: click.echo(sentence, err=True))
