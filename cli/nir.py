"""Options of models that come from NIR files, and reading those as they say."""

import functools
import re

import click

from eventsim.cli.options import MILLISECONDS, Option, SensorType
from eventsim.errors import ConfigError

# Where the options wait until a model is read; no command passes them on.
_META = "eventsim.nir"
_NUMBER = r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)?"


class TimeType(click.ParamType):
    """A time with its unit, of which the number may be left out: ``s``, ``0.1ms``; gives ms."""

    name = "TIME"

    def convert(self, value, param, ctx):
        found = re.fullmatch(rf"{_NUMBER}\s*(us|ms|s)", str(value))
        if not found or float(found[1] or 1) == 0:
            self.fail(f"{value!r} is no time; write a unit, or a number and a unit: s, ms, us, 0.1ms, 1000s")
        return float(found[1] or 1) * MILLISECONDS[found[2]]


def _keep(context, parameter, value):
    if value is not None:
        context.meta.setdefault(_META, {})[parameter.name.removeprefix("nir_")] = value


_option = functools.partial(click.option, cls=Option, heading="Options of NIR files", callback=_keep,
                            expose_value=False)
_READ = ("euler", "exponential", "snntorch", "norse", "sinabs", "sinabs-sum")
_WRITE = ("euler", "exponential", "snntorch", "norse", "sinabs")
_unit = _option("--nir-time-unit", type=TimeType(), metavar="s|ms|TIME",
                help="The file's unit of time, on which frameworks disagree.")
_scheme = _option("--nir-scheme", type=click.Choice(_READ), metavar="NAME",
                  help="How a tick follows from NIR's equations: euler, exponential, or as the framework means it "
                       "that wrote the file: snntorch, norse, sinabs, sinabs-sum (without norm_input).  [default: as "
                       "the file says, or euler]")
_dt = _option("--nir-dt", type=TimeType(), metavar="TIME", help="A tick.  [default: as the file says, or 1ms]")
_reset = _option("--nir-reset", type=click.Choice(["hard", "subtract", "delayed"]), metavar="hard|subtract|delayed",
                 help="What a spike does to the potential: set it to v_reset, take the threshold away, or do so a tick "
                      "later.  [default: that of the scheme]")
_readout = _option("--nir-readout", type=click.Choice(["mean", "last", "max"]), metavar="mean|last|max",
                   help="Read the potential of the last neurons, which then never spike: its mean, the last, or the "
                        "largest.  [default: mean, where they are LI]")
_input = _option("--nir-input", "nir_sensor", type=SensorType(), metavar="WxH[xP]",
                 help="Sensor behind an input that the file says flat.")


def reading_options(function):
    """Options for commands that take a model."""
    options = (_input, _readout, _reset, _dt, _scheme, _unit)
    return functools.reduce(lambda done, option: option(done), options, function)


def writing_options(function):
    """Options for the command that writes one."""
    scheme = click.option("--nir-scheme", type=click.Choice(_WRITE), default="euler", show_default=True, metavar="NAME",
                          help="Whose import shall get the same spikes: euler and exponential are NIR's equations by "
                               "these methods, snntorch, norse and sinabs those frameworks.")
    unit = click.option("--nir-time-unit", type=TimeType(), metavar="s|ms|TIME",
                        help="The file's unit of time.  [default: s, or what the scheme fixes]")
    return unit(scheme(function))


def refuse_options(name):
    """Raise `ConfigError` where options of NIR files were given for a model that comes from none."""
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(_META):
        option = next(iter(context.meta[_META])).replace("_", "-").replace("sensor", "input")
        raise ConfigError(f"{name}: is no NIR file; leave out --nir-{option}, which says how to read one")


def read_model(path):
    """The network in a NIR file, as the options of the running command say; doubts go to stderr."""
    from eventsim.exchange import nir

    context = click.get_current_context(silent=True)
    found = nir.read(path, nir.Reading(**(context.meta.get(_META, {}) if context else {})))
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    return found.network
