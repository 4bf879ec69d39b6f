"""NeuroBench's names and definitions for what was counted (Yik et al. 2025, doi:10.1038/s41467-025-56739-4).

- ``Footprint``: bytes of weights, and of what normalises.
- ``ConnectionSparsity``: share of weights that are zero.
- ``ActivationSparsity``: share of neurons and ticks without a spike, over all layers and samples.
- ``SynapticOperations``, a sample: ``Dense`` multiplications, every tick; ``Effective_ACs`` additions, one for every
  synapse with a weight that is not zero which a spike crosses; ``Effective_MACs`` where spikes are no 0 or 1.

Average pooling and batch normalisation are part of the weights here, so what they make of spikes still counts as
additions, one a spike: NeuroBench sees their results as numbers, and counts those as multiplications.
"""

import numpy as np

from eventsim.engine.feed import arrivals


def figures(profile) -> dict:
    """Plain values by NeuroBench's names."""
    network, n = profile.network, max(profile.n_samples, 1)
    layers, populations = network.layers, profile.populations
    weights = sum(layer.n_weights for layer in layers)
    zeros = sum(layer["zero_weights"] for layer in profile.layer_figures())
    pairs = [population.n_neurons * population.ticks for population in populations[1:]]
    spikes = [int(population.spikes.sum()) for population in populations[1:]]
    effective = [
        int(live_synapses_behind(layer) @ given.spikes) + sum(int(part.live_fan_out @ own.spikes)
                                                              for part in layer.projections[1:])
        for layer, given, own in zip(layers, populations, populations[1:], strict=False)
    ]
    are_numbers = network.input_mode == "count"
    return {
        "Footprint": sum(footprint(layer) for layer in layers),
        "ConnectionSparsity": round(zeros / weights, 4) if weights else 0.0,
        "ActivationSparsity": 1.0 - sum(spikes) / max(sum(pairs), 1),
        "ActivationSparsityByLayer": {
            name: 1.0 - k / max(p, 1) for name, k, p in zip(network.layer_names, spikes, pairs, strict=True)
        },
        "SynapticOperations": {
            "Effective_MACs": effective[0] / n if are_numbers else 0.0,
            "Effective_ACs": sum(effective[1:] if are_numbers else effective) / n,
            "Dense": sum(cost.dense_macs for cost in profile.costs) / n,
        },
    }


def live_synapses_behind(layer):
    """Synapses of a layer with a weight that is not zero, of every neuron before it, int64[N]."""
    where = arrivals(layer)
    return np.where(where >= 0, layer.live_fan_out[where], 0)


def footprint(layer) -> int:
    """Bytes of a layer's weights as they are kept, and of what normalises."""
    scale = getattr(layer, "scale", None)
    kept = layer.n_weights * layer.packed.itemsize + (0 if scale is None else layer.n_out * scale.itemsize)
    norm = layer.norm
    return kept + (0 if norm is None else 4 * 4 * norm.given.channels)  # gamma, beta and the running statistics
