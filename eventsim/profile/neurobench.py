"""NeuroBench's names and definitions for what was counted (Yik et al. 2025, doi:10.1038/s41467-025-56739-4).

- ``ParameterCount``: what training changes.
- ``Footprint``: bytes of weights, and of what normalises. State of neurons is none: it begins anew with every sample.
- ``ConnectionSparsity``: share of weights that are zero.
- ``ActivationSparsity``: share of neurons and ticks without a spike, over all layers and samples; the input is none,
  nor is a layer whose potentials are read.
- ``SynapticOperations``, a sample: ``Dense`` multiplications, every tick; ``Effective_ACs`` additions, one for every
  synapse with a weight that is not zero which a spike crosses; ``Effective_MACs`` the same of an input that counts
  (``input_mode="count"``), one a pixel and tick whatever it counts.

tests/bench/neurobench_check.py has the package count the same spikes. Its figures, version 2.3, are these to the digit,
and others only in what follows from their being taken of modules of torch:

- Average pooling and batch normalisation are part of the weights here, so what they make of spikes still counts as
  additions, one a spike. Where they are modules, a layer behind them takes numbers: a multiplication for every synapse
  of a window with spikes in a tick, and behind normalisation, which leaves no zeros, for every one in every tick. Where
  normalisation is in the weights of the modules, too, operations are these again.
- torch counts the batches of each normalisation, 8 bytes of ``Footprint``.
- A tick in which no pixel counts more than 1 is one of additions.
- ``ActivationSparsity`` is the mean of the samples' own, the same where they are equally long.
"""

from eventsim.profile.profile import through_stages, zero_weights


def figures(profile) -> dict:
    """Plain values by NeuroBench's names."""
    network, n = profile.network, max(profile.n_samples, 1)
    layers, populations = network.layers, profile.populations
    weights = sum(layer.n_weights for layer in layers)
    zeros = sum(zero_weights(layer) for layer in layers)
    that_fire = [population for population in populations[1:] if population.fires]
    pairs = [population.n_neurons * population.ticks for population in that_fire]
    spiking = [population.pairs for population in that_fire]
    crossed = [int(live_synapses_behind(layer) @ given.spikes)
               for layer, given in zip(layers, populations, strict=False)]
    own = sum(int(part.live_fan_out @ population.spikes)
              for layer, population in zip(layers, populations[1:], strict=True) for part in layer.projections[1:])
    multiplied = 0
    if network.input_mode == "count":
        multiplied = crossed.pop(0) - int(live_synapses_behind(layers[0]) @ profile.repeats)
    norms = [layer.norm for layer in layers if layer.norm is not None]
    return {
        "ParameterCount": weights + sum(2 * norm.given.channels for norm in norms),
        "Footprint": sum(footprint(layer) for layer in layers),
        "ConnectionSparsity": round(zeros / weights, 4) if weights else 0.0,
        "ActivationSparsity": silence(sum(spiking), sum(pairs)),
        "ActivationSparsityByLayer": {
            name: silence(k, p) for name, k, p in zip(network.spiking.layer_names, spiking, pairs, strict=True)
        },
        "SynapticOperations": {
            "Effective_MACs": multiplied / n, "Effective_ACs": (sum(crossed) + own) / n,
            "Dense": sum(cost.dense_macs for cost in profile.costs) / n,
        },
    }


def silence(n_spiking, n_pairs) -> float:
    """Share of pairs of a neuron and a tick without a spike, 0 where there are none."""
    return (n_pairs - n_spiking) / n_pairs if n_pairs else 0.0


def live_synapses_behind(layer):
    """Synapses of a layer with a weight that is not zero, of every neuron before it, int64[N]."""
    return through_stages(layer, layer.live_fan_out)


def footprint(layer) -> int:
    """Bytes of a layer's weights as they are kept, and of what normalises."""
    scale = getattr(layer, "scale", None)
    kept = layer.n_weights * layer.packed.itemsize + (0 if scale is None else layer.n_out * scale.itemsize)
    norm = layer.norm
    return kept + (0 if norm is None else 4 * 4 * norm.given.channels)  # gamma, beta and the running statistics
