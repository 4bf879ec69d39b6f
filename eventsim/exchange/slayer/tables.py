"""YAML files as tables whose keys are taken one by one, so that none is overlooked."""

import math

from eventsim import files
from eventsim.errors import ConfigError, FormatError

_MOST_BYTES = 1 << 20  # a description has some hundred


def _loader():
    """PyYAML's safe loader, which makes plain values only, and which takes no key twice."""
    try:
        import yaml
    except ImportError:
        raise ConfigError('YAML files need PyYAML; install it with `pip install "eventsim[slayer]"`') from None

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for i, key in enumerate(keys):
                if key in keys[:i]:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands there twice",
                                                            node.value[i][0].start_mark)
            return super().construct_mapping(node, deep)

    return yaml, Loader


def read_yaml(path):
    """The plain values of a YAML file; raises `FormatError` with the line where it is none."""
    path = files.as_path(path)
    with files.reading(path), path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise FormatError(f"{path}: is longer than {_MOST_BYTES:,} bytes, so it describes no network; name a "
                          "network.yaml of slayerPytorch")
    yaml, loader = _loader()
    try:
        return yaml.load(raw, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
        raise FormatError(f"{path}{where}: is no YAML that can be read safely ({_one_line(said)}); correct it"
                          ) from None
    except RecursionError:
        raise FormatError(f"{path}: is nested too deeply to describe a network; name a network.yaml of slayerPytorch"
                          ) from None
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:  # of odd dates and numbers
        raise FormatError(f"{path}: has a value that is none ({_one_line(error)}); correct it") from None


def _one_line(text):
    return " ".join(str(text).split())[:200]


def shown(value) -> str:
    """A value for a sentence: short, whatever it holds."""
    if isinstance(value, dict | list | tuple | set):
        return f"a {'list' if isinstance(value, list | tuple) else 'table'} of {len(value)}"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Table:
    """A table of a file: `take` its keys, then `close` it, which refuses those that nobody took.

    source : the file; name : of the table, with dots, "" for the file itself
    """

    def __init__(self, source, name, value):
        self.source, self.name = source, name
        if value is None:  # a table of comments only
            value = {}
        if not isinstance(value, dict):
            raise self.wrong("", f"must be a table of names and values, got {shown(value)}")
        self._left, self._asked = dict(value), []

    def __contains__(self, key):
        return key in self._left

    def wrong(self, key, why):
        """The error that an entry ``why`` is none."""
        where = ".".join(part for part in (self.name, str(key)) if part)
        return FormatError(f"{self.source}: {where or 'the file'} {why}")

    def take(self, key):
        """What stands under a key, None where there is nothing."""
        self._asked.append(str(key))
        return self._left.pop(key, None)

    def table(self, key):
        """The table under a key, empty where there is none."""
        return Table(self.source, f"{self.name}.{key}" if self.name else str(key), self.take(key))

    def number(self, key, default=None):
        """A finite number; PyYAML reads 1e-8 as a text, so texts of numbers are numbers."""
        value = self.take(key)
        if value is None:  # not there, or there is nothing
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self.wrong(key, f"must be a number, got {shown(value)}")
        return number

    def text(self, key, default=None):
        """A text."""
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, f"must be a word, got {shown(value)}")
        return default if value is None else value

    def close(self):
        """Refuse what is left: a setting that nobody reads would change the result without a word."""
        for key in self._left:
            raise self.wrong(key if isinstance(key, str) else repr(key), "is no setting of slayerPytorch that eventsim "
                             f"knows; there may stand {', '.join(dict.fromkeys(self._asked))}: correct it or leave it "
                             "out")
