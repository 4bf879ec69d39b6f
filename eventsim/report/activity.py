"""How active every layer of a network was, and how much less work that is than a dense simulation."""

from dataclasses import asdict, dataclass

import numpy as np

from eventsim.report import numbers


@dataclass(frozen=True)
class LayerActivity:
    """One layer, by sample: means where there were several.

    silent is the share of neurons without a spike in any of the samples; ratio is SynOps over dense MACs; singly is
    that of `LayerTrace`. Where neurons never spike and their potentials are read, rates and the silent share are None.
    """

    name: str
    neurons: int
    spikes: float
    spikes_per_neuron: float | None
    rate_hz: float | None
    silent: float | None
    synops: float
    dense_macs: float
    ratio: float | None
    seconds: float
    singly: float | None = None


def _layer(name, neurons, spikes, duration, silent, synops, dense_macs, seconds, singly=None):
    """``silent`` None: its neurons never spike."""
    rate = 1000.0 * spikes / (neurons * duration) if duration else 0.0
    mean, rate = (None, None) if silent is None else (spikes / neurons, rate)
    return LayerActivity(
        name, neurons, spikes, mean, rate, silent, synops, dense_macs,
        synops / dense_macs if dense_macs else None, seconds, singly,
    )


def _unused(address, neurons):
    """Share of the neurons that have no spike in the list."""
    return (neurons - len(np.unique(address))) / neurons


def of_trace(trace) -> list[LayerActivity]:
    """Activity of every layer in the `Trace` of one recording."""
    duration = trace.input.n_ticks * trace.input.dt
    return [
        _layer(layer.name, layer.spikes.n_neurons, len(layer.spikes), duration,
               None if layer.readout else _unused(layer.spikes.address, layer.spikes.n_neurons),
               layer.synops, layer.dense_macs, layer.seconds, layer.singly)
        for layer in trace.layers
    ]


def of_metrics(network, metrics) -> list[LayerActivity]:
    """Mean activity of every layer over the samples of `Metrics`."""
    n, silent = max(metrics.samples, 1), metrics.summary()["silent"]
    return [
        _layer(name, layer.n_out, float(metrics.spikes[i] / n),
               float(metrics.dense_macs[i] / n / layer.n_synapses * network.dt), silent[i],
               float(metrics.synops[i] / n), float(metrics.dense_macs[i] / n), float(metrics.seconds[i] / n))
        for i, (name, layer) in enumerate(zip(network.layer_names, network.layers, strict=True))
    ]


def of_figures(layers) -> list[LayerActivity]:
    """Mean activity of every layer, of `Profile.layer_figures`."""
    names = ("name", "neurons", "spikes", "spikes_per_neuron", "rate_hz", "silent", "synops", "dense_macs", "ratio",
             "seconds", "singly")
    return [LayerActivity(**{name: figures[name] for name in names}) for figures in layers]


def as_dicts(layers) -> list[dict]:
    """Plain values of every layer."""
    return [asdict(layer) for layer in layers]


def totals(layers) -> dict:
    """Spikes, SynOps, dense MACs, their ratio, and time of all layers."""
    summed = ("spikes", "synops", "dense_macs", "seconds")
    sums = {name: sum(getattr(layer, name) for layer in layers) for name in summed}
    return sums | {"ratio": sums["synops"] / sums["dense_macs"] if sums["dense_macs"] else None}


def screen(layers, remark=None) -> list:
    """A table with a row a layer and the totals, within 80 columns, and what it comes to."""
    from eventsim.report.tables import plain_table

    rows = [
        (layer.name, numbers.count(layer.neurons), numbers.large(layer.spikes),
         numbers.optional(layer.spikes_per_neuron), numbers.optional(layer.rate_hz, "{:.1f}"),
         numbers.share(layer.silent), numbers.large(layer.synops), numbers.large(layer.dense_macs),
         numbers.share(layer.ratio), numbers.seconds(layer.seconds))
        for layer in layers
    ]
    all_layers = totals(layers)
    neurons = sum(layer.neurons for layer in layers)
    spiking = sum(layer.neurons for layer in layers if layer.silent is not None)
    mean = numbers.optional(all_layers["spikes"] / spiking if spiking else None)
    rows.append((
        "all", numbers.count(neurons), numbers.large(all_layers["spikes"]), mean, "",
        "", numbers.large(all_layers["synops"]), numbers.large(all_layers["dense_macs"]),
        numbers.share(all_layers["ratio"]), numbers.seconds(all_layers["seconds"]),
    ))
    header = ("layer", "neurons", "spikes", "/neuron", "Hz", "silent", "SynOps", "MACs", "ratio", "time")
    saved = numbers.share(all_layers["ratio"])
    lines = [f"SynOps are {saved} of the multiply-accumulates (MACs) of a dense simulation."]
    swept = [layer for layer in layers if layer.singly is not None]
    if swept:
        singly = sum(layer.singly * layer.neurons for layer in swept) / sum(layer.neurons for layer in swept)
        lines.append(f"Of all neurons in all windows of time, {numbers.share(singly)} had to be run one event at a "
                     "time.")
    return [plain_table(header, rows), "", *lines, *([f"{remark}."] if remark else [])]
