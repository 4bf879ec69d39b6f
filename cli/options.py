"""What commands share: how they are declared, parameter types, and options."""

import re

import click
from click.core import ParameterSource

from eventsim import files
from eventsim.errors import ConfigError


class SensorType(click.ParamType):
    """``WIDTHxHEIGHT`` or ``WIDTHxHEIGHTxPOLARITIES``."""

    name = "WxH[xP]"

    def convert(self, value, param, ctx):
        from eventsim.sensor import Sensor

        if not re.fullmatch(r"\d+x\d+(x\d+)?", str(value)):
            self.fail(f"{value!r} is no sensor size; write WIDTHxHEIGHT or WIDTHxHEIGHTxPOLARITIES, e.g. 34x34x2")
        return Sensor(*(int(part) for part in value.split("x")))


MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class ClockType(click.ParamType):
    """``grid``, ``exact``, or the length of a tick such as ``1ms`` or ``500us``; gives (clock, dt in ms or None)."""

    name = "grid|exact|TICK"

    def convert(self, value, param, ctx):
        if value in ("grid", "exact"):
            return value, None
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|us|s)", str(value))
        if not found or float(found[1]) == 0:
            self.fail(f"{value!r} is no clock; write grid, exact, or the length of a tick with its unit, e.g. 0.5ms")
        return "grid", float(found[1]) * MILLISECONDS[found[2]]


class SupportType(click.ParamType):
    """``auto``, ``inf``, or a number of thresholds."""

    name = "auto|inf|X"

    def convert(self, value, param, ctx):
        if value == "auto":
            return value
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is no support; write auto, inf, or a number of thresholds, e.g. 0.3")


class StartType(click.ParamType):
    """A time in ms, or ``first`` for that of the first event; gives a float or None."""

    name = "MS|first"

    def convert(self, value, param, ctx):
        if value == "first":
            return None
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write ms, or first for the time of the first event")


class EpochsType(click.ParamType):
    """An epoch, or several with commas between them; gives a tuple of floats."""

    name = "EPOCH"

    def convert(self, value, param, ctx):
        try:
            return tuple(float(epoch) for epoch in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is no epoch; write a number, or several with commas between them, e.g. 30,60")


class SpanType(click.ParamType):
    """``FIRST:LAST`` in ms; gives two floats."""

    name = "MS:MS"

    def convert(self, value, param, ctx):
        try:
            first, last = map(float, value.split(":"))
        except ValueError:
            first, last = 0.0, 0.0
        if not 0 <= first < last < float("inf"):
            self.fail(f"{value!r} is no span of time; write its first and last ms, e.g. 50:150")
        return first, last


class TransformType(click.ParamType):
    """``NAME[:KEY=VALUE,...]``; gives a name in `eventsim.data.TRANSFORMS` and the dict of its parameters."""

    name = "NAME[:KEY=VALUE,...]"

    def convert(self, value, param, ctx):
        from eventsim.data.applied import parse_transform

        try:
            return parse_transform(value)
        except ConfigError as error:
            self.fail(str(error))


class Option(click.Option):
    """An option that its command's help lists under a ``heading``."""

    def __init__(self, *arguments, heading="Options", **settings):
        super().__init__(*arguments, **settings)
        self.heading = heading


class _Command(click.Command):
    """A command whose help lists its options by their headings."""

    def format_options(self, context, formatter):
        sections = {}
        for parameter in self.get_params(context):
            # Newer clicks have lines for arguments, too, which the usage and the text above say already.
            line = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if line is not None:
                sections.setdefault(getattr(parameter, "heading", "Options"), []).append(line)
        for heading, lines in sections.items():
            with formatter.section(heading):
                formatter.write_dl(lines)


def command(function):
    """Declare a command: the docstring is its help, ``--debug`` shows tracebacks."""
    debug = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
    return click.command(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})(debug(function))


def _set_threads(context, parameter, value):
    from eventsim import kernels

    try:
        if value is not None:
            kernels.set_threads(value)
        kernels.threads()  # EVENTSIM_THREADS may be nonsense
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _check_device(context, parameter, value):
    """The name, of a device that there is: said before anything is read."""
    from eventsim.engine.gpu.devices import open_device

    open_device(value)
    return value


def _check_devices(context, parameter, value):
    """The name of one or several, as above."""
    from eventsim.engine.gpu.devices import open_devices

    open_devices(value)
    return value


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", callback=_set_threads, expose_value=False,
    help="Threads to compute on (results do not depend on it).  [default: all cores]",
)
model_option = click.option(
    "--model", metavar="RUN|FILE|nmnist",
    help="Run folder, model or NIR file, or the network that comes with eventsim.  [default: the newest run under "
         "./runs, else nmnist]",
)
weights_option = click.option(
    "--weights", type=click.Choice(["float32", "float16", "int8"]), default="float32", show_default=True,
    help="Precision of the weights: int8 is the fastest, and costs some accuracy.",
)
device_option = click.option(
    "--device", default="cpu", show_default=True, metavar="cpu|gpu[:N]", callback=_check_device,
    help="What to compute on; `eventsim devices` lists what there is.",
)
devices_option = click.option(
    "--device", default="cpu", show_default=True, metavar="cpu|gpu[:N]|gpus", callback=_check_devices,
    help="What to compute on; gpus: all GPUs at once, gpu:0,gpu:2: some. `eventsim devices` lists what there is.",
)
clock_option = click.option(
    "--clock", type=ClockType(), metavar="grid|exact|TICK",
    help="Grid of ticks, or continuous time.  [default: the model's]",
)
start_option = click.option(
    "--start", type=StartType(), default="0", metavar="MS|first",
    help="Where in the recording the network's window begins, or first: at its first event.  [default: 0]",
)
split_option = click.option(
    "--split", type=click.Choice(["validation", "train", "all"]), default="validation", show_default=True,
    help="Which samples of the data set.",
)
force_option = click.option("--force", is_flag=True, help="Replace what is already there.")


def recording_options(function):
    """``--codec`` and ``--sensor``, for commands that read a recording."""
    sensor = click.option("--sensor", type=SensorType(), metavar="WxH[xP]", help="Sensor size, else the format's.")
    codec = click.option("--codec", metavar="NAME", help="Format, where the file's name does not say it.")
    return codec(sensor(function))


def typed(context, name) -> bool:
    """Whether the user gave the option ``name``."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def refuse_typed(context, names, reason):
    """Raise `ConfigError` with ``reason`` if the user gave one of the options ``names``."""
    for parameter in context.command.params:
        if parameter.name in names and typed(context, parameter.name):
            raise ConfigError(f"{parameter.opts[0]} {reason}")


def check_picture(path, force):
    """Raise `ConfigError` where a picture could not be drawn or written, before any work is done for it."""
    from eventsim import files
    from eventsim.plot import canvas

    canvas.require()
    canvas.format_of(path)
    refuse_existing(path, force)
    files.check_place(path)


def refuse_missing(source):
    """Raise `FormatError` where there is no recording or data set ``source``, before options are held against it."""
    if source not in ("-", "synthetic"):
        files.require(source)


def refuse_existing(path, force):
    """Raise `ConfigError` if ``path`` exists and may not be replaced."""
    if path.exists() and not force:
        raise ConfigError(f"{path}: exists already; choose another name, or add --force to replace it")


def check_output(path, force):
    """`refuse_existing`, and for a file that is written after a long time its folder must be there at the start."""
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}; make it first, or choose another name")
    refuse_existing(path, force)
