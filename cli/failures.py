"""The one place where what goes wrong becomes a sentence on stderr and an exit status."""

import contextlib
import os
import signal
import sys
import threading
import traceback

import click

from eventsim.errors import EventsimError

MISTAKE, INTERRUPTED, TERMINATED = 1, 130, 143


class Stopped(EventsimError):
    """The user stopped a command; the message says what became of its work."""


class Terminated(BaseException):
    """The system wants the process to end (SIGTERM)."""


@contextlib.contextmanager
def termination_raised():
    """Raise `Terminated` on SIGTERM, which by default ends a process before it can clean up."""
    def terminate(number, frame):
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # others cannot
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def status_of(call, debug=False) -> int:
    """Call ``call`` and give the exit status; failures are told on stderr, with a traceback if ``debug``."""
    try:
        status = call()
        if sys.stdout is not None:
            sys.stdout.flush()  # here, so that a full disk or a closed pipe is noticed
        return status if isinstance(status, int) else 0
    except BrokenPipeError:  # whoever read our output has seen enough
        _discard_output()
        return MISTAKE
    except (Exception, KeyboardInterrupt, Terminated) as error:
        if isinstance(error, OSError):
            _discard_output()
        tell(error, debug)
        if isinstance(error, Terminated):
            return TERMINATED
        stopped = isinstance(error, Stopped | click.Abort | KeyboardInterrupt)
        return INTERRUPTED if stopped else MISTAKE


def tell(error, debug=False):
    """Say on stderr what went wrong, in one sentence, with a traceback before it if ``debug``."""
    if debug:
        traceback.print_exception(error)
    with contextlib.suppress(OSError):
        click.echo(f"Error: {_sentence(error)}", err=True)


def _sentence(error) -> str:
    match error:
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "eventsim"
            return f"{error.format_message().strip().rstrip('.')}; see `{command} --help`"
        case click.ClickException():
            return error.format_message()
        case Terminated():
            return "terminated"
        case click.Abort() | KeyboardInterrupt():
            return "interrupted"
        case EventsimError():
            return str(error)
        case MemoryError():
            return (f"there is not enough memory ({error or 'out of memory'}); use longer ticks (--clock, in training "
                    "--dt), begin at a recording's first event (--start first), or use a smaller network or smaller "
                    "batches")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}reading or writing failed ({error.strerror or error}); check the place and the free space"
    return (f"eventsim failed unexpectedly ({type(error).__name__}: {error}); this is a bug, please report it with "
            "what --debug shows")


def _discard_output():
    """Send what is still buffered for stdout nowhere, so that the interpreter's last flush cannot fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
