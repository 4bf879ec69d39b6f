"""What an architecture, model or data set is: figures, and the screen that shows them."""

import shlex

import numpy as np

from eventsim.errors import ConfigError
from eventsim.model.neurons import INTEGRATORS, as_config
from eventsim.report import numbers, recording, store, training
from eventsim.report.neurons import neuron_line

_SAMPLE_TICKS = 300  # an N-MNIST sample at 1 ms, where samples have no length of their own
_AS_RECORDED = "as long as the recording"
# Stages as their notation says them.
_STAGES = {"average_pool": "{}p", "batch_norm": "bn", "dropout": "do{}"}


def of_network(name, network) -> dict:
    """Layers, weights and dense work of an architecture."""
    from eventsim.model import PRESETS

    preset = PRESETS.get(name)
    ticks = network.n_ticks or _SAMPLE_TICKS
    layers = [
        _layer(name, layer, field, ticks)
        for name, layer, field in zip(network.layer_names, network.layers, network.arch.layers, strict=True)
    ]
    return {
        "kind": "architecture", "name": name, "arch": network.arch.notation, "about": preset.about if preset else None,
        "choices": preset.choices if preset else None, "sensor": str(network.sensor), "inputs": network.arch.n_inputs,
        "neurons": sum(network.arch.widths), "weights": network.n_weights,
        "parameters": sum(layer["parameters"] for layer in layers), "neuron": as_config(network.neuron),
        "own_neurons": [layer.neuron and as_config(layer.neuron) for layer in network.layers],
        "dt": network.dt, "learning_rate": preset.learning_rate if preset else None,
        "training": preset.training if preset else None, "n_ticks": ticks,
        "has_window": network.n_ticks is not None, "layers": layers,
    }


def _layer(name, layer, field, ticks):
    """One layer of an architecture; its parameters are its weights and those of what normalises its input."""
    norms = 2 * layer.given.channels if layer.norm is not None else 0
    return {
        "name": name, "shape": [layer.shape.channels, layer.shape.height, layer.shape.width],
        "stages": [{"kind": stage.kind, "value": stage.value} for stage in field.stages],
        "neurons": layer.n_out, "fan_in": layer.fan_in, "weights": layer.n_weights,
        "parameters": layer.n_weights + norms, "macs_per_tick": layer.n_synapses,
        "macs_per_sample": layer.n_synapses * ticks, "recurrent": field.kind == "recurrent", "delay_ms": field.delay,
    }


def of_recipe(recipe, source) -> dict:
    """The network of a `Recipe`, with its settings of the training; raises `ConfigError` where it has none."""
    from eventsim.model import Network
    from eventsim.model.neurons import from_config

    if "arch" not in recipe.network:
        raise ConfigError(f"{source}: has no layers, so there is no network to describe; `eventsim train "
                          f"--recipe {source} --show` prints the rest")
    network = Network(**recipe.network, neuron=from_config({"kind": "srm"} | recipe.neuron), seed=None)
    training = {name: value for name, value in recipe.training.items() if name != "learning_rate"}
    return of_network(recipe.name, network) | {
        "about": recipe.about, "training": training, "learning_rate": recipe.training.get("learning_rate"),
        "notes": list(recipe.notes),
    }


def of_model(source, about, card=None) -> dict:
    """What `eventsim.trainer.checkpoint.describe` says, and the model card of a network that has one."""
    return {"kind": "model", "source": source, **about, "card": card}


def of_dataset(source, splits) -> dict:
    """Samples of every class and split."""
    parts = {name: part for name in ("train", "validation") if (part := getattr(splits, name)) is not None}
    one = next(iter(parts.values()))
    return {
        "kind": "dataset", "source": source, "name": one.name, "sensor": str(one.sensor), "classes": one.n_classes,
        "duration_ms": one.duration, "note": splits.note,
        "samples": {name: np.bincount(part.labels, minlength=one.n_classes).tolist() for name, part in parts.items()},
    }


def screen(figures) -> list:
    """The figures as lines and tables."""
    return _SCREENS[figures["kind"]](figures)


def _neuron_lines(f):
    """The neurons of an architecture or model: a line for all layers, and one for each that has its own."""
    own = [("Read-out" if neuron["kind"] in INTEGRATORS else f"Neuron {i}", neuron_line(neuron))
           for i, neuron in enumerate(f.get("own_neurons") or (), 1) if neuron]
    return [("Neuron", neuron_line(f["neuron"])), *own]


def _network(f):
    from eventsim.report.tables import plain_table

    is_spatial = any(layer["shape"][1:] != [1, 1] or layer["stages"] for layer in f["layers"])
    header, rows = (_spatial_rows if is_spatial else _rows)(f)
    named = [("Name", f"{f['name']}: {f['about']}")] if f["about"] else []
    named += [("Ours", f"{f['choices']}: the source says nothing of them")] if f["choices"] else []
    sample = f"{numbers.several(f['n_ticks'], 'tick')} of {f['dt']:g} ms"
    sample = f"a sample is {sample}" if f["has_window"] else f"a sample is {_AS_RECORDED}, counted as {sample}"
    rate = [("Rate", f"{f['learning_rate']:g} (learning rate)")] if f["learning_rate"] else []
    rate += [("Training", training.defaults(f["training"]))] if f["training"] else []
    rate += [("Note", note) for note in f.get("notes", ())]
    return [
        [*named, ("Network", f["arch"]),
         ("Input", f"{f['sensor']} sensor, {numbers.several(f['inputs'], 'address', 'addresses')}"),
         *_neuron_lines(f), *rate],
        "", plain_table(header, rows), "",
        f"MACs are those of a dense simulation; {sample}.",
    ]


def _rows(f):
    """Header and rows of the table of a network of dense layers."""
    layers = f["layers"]
    rows = [
        (layer["name"], *(numbers.count(layer[name]) for name in ("neurons", "fan_in", "weights")),
         *(numbers.large(layer[name]) for name in ("macs_per_tick", "macs_per_sample")))
        for layer in layers
    ]
    rows.append(("all", numbers.count(f["neurons"]), "", numbers.count(f["weights"]), *_all_macs(f)))
    header = ("layer", "neurons", "fan-in", "weights", "MACs/tick", "MACs/sample")
    delays = [layer["delay_ms"] for layer in layers]
    if any(delay is not None for delay in delays):
        texts = ["-" if delay is None else f"{delay:g} ms" for delay in delays]
        header, rows = (*header, "delay"), [(*row, text) for row, text in zip(rows, [*texts, ""], strict=True)]
    return header, rows


def _all_macs(f):
    return [numbers.large(sum(layer[name] for layer in f["layers"])) for name in ("macs_per_tick", "macs_per_sample")]


def _spatial_rows(f):
    """Header and rows of the table of a network with shapes, or with something between its layers."""
    rows = [
        (layer["name"], " ".join(_STAGES[stage["kind"]].format(stage["value"]) for stage in layer["stages"]) or "-",
         "{2}x{1}x{0}".format(*layer["shape"]), *(numbers.count(layer[name]) for name in ("fan_in", "parameters")),
         *(numbers.large(layer[name]) for name in ("macs_per_tick", "macs_per_sample")))
        for layer in f["layers"]
    ]
    rows.append(("all", "", numbers.count(f["neurons"]), "", numbers.count(f["parameters"]), *_all_macs(f)))
    return ("layer", "before it", "neurons", "fan-in", "parameters", "MACs/tick", "MACs/sample"), rows


def _model(f):
    facts = [*model_facts(f), ("Written", f"by eventsim {f['package']}")]
    if f["card"]:
        return [facts, "", *f["card"].splitlines()]
    return [facts, "", history_table(f["history"])] if f["history"] else [facts]


def model_facts(f) -> list:
    """Names and values of a model and its training, as `eventsim.trainer.checkpoint.describe` gives them."""
    network, config, provenance = f["network"], f["config"], f["provenance"]
    ticks = f"{_AS_RECORDED}, ticks" if network["n_ticks"] is None else numbers.several(network["n_ticks"], "tick")
    facts = [
        ("Model", f["file"]), ("Network", network["arch"]),
        *_neuron_lines({**network, "own_neurons": network.get("neurons")}),
        ("Clock", f"{network['clock']}, {ticks} of {network['dt']:g} ms, input {network['input_mode']}"),
    ]
    if f["delays"]:
        facts.append(("Delays", ", ".join(
            f"{name} {least:g} to {most:g} ms" for name, (least, most) in f["delays"].items())))
    if config:
        facts.append(("Training", (
            f"epochs {f['progress']['epoch']} of {config['epochs']} done, {training.method(config)}, support "
            f"{config['support']}, seed {config['seed']}")))
        facts += training.extras(config)
    if "gains" in provenance:
        facts.append(("Gains", " ".join(f"{gain:.3g}" for gain in provenance["gains"]) + " (calibrated start)"))
    if f["history"]:
        last = f["history"][-1]
        if share := training.backward_share(last):
            facts.append(("Backward", share))
        facts += [("Warning", f"{one['text']}; {one['cure']}") for one in last.get("warnings", [])]
    if "recipe" in provenance:
        facts.append(("Recipe", provenance["recipe"]))
    if "data" in provenance:
        facts.append(("Data", provenance["data"]["source"]))
    if "command" in provenance:
        facts.append(("Command", shlex.join(provenance["command"])))
    return facts


def history_table(history):
    """A table with a row an epoch."""
    from eventsim.report.tables import plain_table

    rows = [
        (str(r["epoch"]), f"{r['loss']:.2f}", f"{r['accuracy']:.4f}",
         f"{r['val_accuracy']:.4f}" if "val_accuracy" in r else "-", numbers.seconds(r["seconds"]),
         numbers.rates(r["rates"]))
        for r in history
    ]
    return plain_table(("epoch", "loss", "train", "val", "time", "spikes a neuron"), rows)


def _dataset(f):
    from eventsim.report.tables import plain_table

    rows = [(name, *map(str, counts), numbers.count(sum(counts))) for name, counts in f["samples"].items()]
    duration = "" if f["duration_ms"] is None else f", {f['duration_ms']:g} ms a sample"
    return [
        [("Data set", f["source"]), ("Kind", f"{f['name']}, {f['sensor']} sensor{duration}"), ("Note", f["note"])],
        "", plain_table(("class", *map(str, range(f["classes"])), "all"), rows),
    ]


def _spikes(f):
    from eventsim.report.tables import plain_table

    rows = [(layer["name"], numbers.count(layer["neurons"]), numbers.count(layer["spikes"])) for layer in f["layers"]]
    facts = [("Spikes of", f["from"].get("recording", "unknown")), ("Model", f["from"].get("model", "unknown")),
             ("Clock", f"{f['clock']}, {numbers.several(f['n_ticks'], 'tick')} of {f['dt']:g} ms")]
    return [facts, "", plain_table(("layer", "neurons", "spikes"), rows)]


_SCREENS = {
    "architecture": _network, "recording": recording.screen,
    "recordings": store.screen, "model": _model, "dataset": _dataset, "spikes": _spikes,
}
