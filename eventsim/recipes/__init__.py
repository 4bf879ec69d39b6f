"""Recipes: every setting of a training in one file, and what it gave; ``<name>.toml`` in this folder, or anybody's.

A ``network.yaml`` of slayerPytorch is one, too.
"""

import importlib.resources
import json
import tomllib
from dataclasses import asdict, dataclass, fields

from eventsim import files
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer import read_description
from eventsim.model import neurons
from eventsim.trainer import TrainingConfig

# Tables of a recipe with what may stand in them; results are for people.
TABLES = {
    "network": ("arch", "dt", "n_ticks", "clock", "input_mode", "readout", "readout_tau"),
    "neuron": ("kind", *neurons.parameters()),
    "training": tuple(field.name for field in fields(TrainingConfig)),
}
_FACTS = {"name": str, "version": int, "about": str}
_TOML, *_SLAYER = SUFFIXES = (".toml", ".yaml", ".yml")


@dataclass(frozen=True)
class Recipe:
    """What to train, and how.

    name, version : a recipe that changes gets the next version, so that results stay those of a version
    about : one line
    network : arguments of `Network`; neuron : kind and parameters; training : of `Trainer`; what is left out is the
        default
    results : what the recipe gave, a dict for each data set
    text : the file; one of slayerPytorch as a recipe in TOML
    notes : what such a file says and is done otherwise or elsewhere, a line each
    """

    name: str
    version: int
    about: str
    network: dict
    neuron: dict
    training: dict
    results: tuple[dict, ...]
    text: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Plain values, ready for JSON."""
        return {name: value for name, value in asdict(self).items() if name != "text"}


def names() -> list[str]:
    """The recipes of the package, sorted."""
    folder = importlib.resources.files(__name__)
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))


def load(recipe) -> Recipe:
    """The recipe of the package with this name, or that of a file.

    recipe : a name out of `names`, or the path of a .toml file, or of a network.yaml of slayerPytorch, whose recipe has
        no architecture where the file has no layers

    Raises `ConfigError` for a name that is none, `FormatError` for a file that cannot be read or is no recipe.
    """
    if isinstance(recipe, str) and recipe in names():
        source, text = f"recipe {recipe}", (importlib.resources.files(__name__) / f"{recipe}.toml").read_text("utf-8")
    else:
        source = files.as_path(recipe)
        if source.suffix in _SLAYER:
            return _slayer(source)
        if source.suffix != _TOML:
            raise ConfigError(f"{recipe} is no recipe; choose one of {', '.join(names())}, or name a .toml file or a "
                              "network.yaml of slayerPytorch")
        with files.reading(source):
            raw = source.read_bytes()
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"{source}: is no text, at byte {error.start}; name a recipe in TOML") from None
    return _parsed(text, source)


def _slayer(source):
    """The recipe of a network.yaml of slayerPytorch."""
    found = read_description(source)
    facts = {"name": source.stem, "version": 1, "about": f"what slayerPytorch's {source.name} says"}
    tables = {"network": found.network, "neuron": found.neuron, "training": found.training}
    lines = [f"# {note}" for note in found.notes] + _assignments(facts)
    for name, values in tables.items():
        lines += ["", f"[{name}]", *_assignments(values)]
    return Recipe(**facts, **tables, results=(), text="\n".join(lines) + "\n", notes=found.notes)


def _assignments(values):
    """Lines of TOML; texts, truths, numbers and lists of these are written as in JSON."""
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]


def _parsed(text, source):
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{source}: is no TOML: {error}; see `eventsim train --recipe {names()[0]} --show`") from None
    _check_names(source, "", content, (*_FACTS, *TABLES, "results"))
    for name, kind in _FACTS.items():
        if type(content.get(name)) is not kind:
            what = "a whole number" if kind is int else "a text"
            raise FormatError(f"{source}: {name} must be {what}, got {content.get(name, 'nothing')!r}")
    tables = {name: content.get(name, {}) for name in TABLES}
    for name, allowed in TABLES.items():
        if not isinstance(tables[name], dict):
            raise FormatError(f"{source}: {name} must be a table, [{name}], got {tables[name]!r}")
        _check_names(source, f" in [{name}]", tables[name], allowed)
    if "arch" not in tables["network"]:
        raise FormatError(f'{source}: says no architecture; write arch = "34x34x2-512-10", say, in [network]')
    results = content.get("results", [])
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise FormatError(f"{source}: results must be tables, [[results]], got {results!r}")
    return Recipe(*(content[name] for name in _FACTS), **tables, results=tuple(results), text=text)


def _check_names(source, where, table, allowed):
    unknown = [name for name in table if name not in allowed]
    if unknown:
        raise FormatError(f"{source}: knows no {unknown[0]}{where}; there may stand {', '.join(allowed)}")
