"""The command group: commands are imported when they run, and every failure ends in one sentence."""

import importlib
import keyword
import sys

import click

from eventsim.cli import failures


class CommandGroup(click.Group):
    """A group over the modules of this package; ``table`` has the name of each command and its line of help."""

    def __init__(self, *args, table, **settings):
        super().__init__(*args, **settings)
        self.table = table

    def list_commands(self, ctx):
        return list(self.table)

    def resolve_command(self, ctx, args):
        if not args[0].startswith("-") and args[0] not in self.table:
            ctx.fail(f"there is no command {args[0]!r}; the commands are {', '.join(self.table)}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx, cmd_name):
        if cmd_name not in self.table:
            return None
        name = cmd_name + "_" * keyword.iskeyword(cmd_name)
        return getattr(importlib.import_module(f"eventsim.cli.{name}"), name)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))

    def main(self, args=None, prog_name=None, **settings):
        """Run the command line ``args`` (default: the process's) and exit with its status."""
        args = list(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a name that the terminal cannot show must not end a command
                stream.reconfigure(errors="backslashreplace")
        settings |= {"standalone_mode": False, "obj": args}
        with failures.termination_raised():
            status = failures.status_of(lambda: super(CommandGroup, self).main(args, "eventsim", **settings),
                                        debug="--debug" in args)
        sys.exit(status)
