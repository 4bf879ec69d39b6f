"""After the warm-up nothing compiles any more."""

import subprocess
import sys

import pytest

_CODE = """
import numpy as np
import eventsim as es
from eventsim.engine.warm_up import warm_up
from eventsim.kernels.launch import _function
from eventsim.kernels.spec import KERNELS
from eventsim.model import LIF, CubaLIF

def compiled():
    return {name: len(_function(name).signatures) for name in KERNELS}

t = np.arange(300)
events = es.Events(1000 * t, t %% 8, 0 * t, 0 * t, es.Sensor(8, 8, 1))
network = es.Network(%(arch)r, %(neuron)s, n_ticks=300, clock=%(clock)r, readout=%(readout)r)
for layer in network.layers:
    if layer.n_weights:
        layer.weight = np.full(layer.weight_shape, 9.0)
network = network.with_weights(%(weights)r)
warm_up(network)
before = compiled()
assert before["sum_patches"] == (network.is_spatial and network.clock == "grid" and network.weights == "float32")
trace = network.simulate(events)
assert len(trace.layers[0].spikes) > 1000
after = compiled()
after["bin_events"] = before["bin_events"]
print({name: n - before[name] for name, n in after.items() if n != before[name]})
"""


@pytest.mark.parametrize("clock, weights, arch, readout, neuron", [(*one, *[None] * (5 - len(one))) for one in (
    ("grid", "float32", "8x8x1-100-4"), ("grid", "int8", "8x8x1-100-4"), ("exact", "float32", "8x8x1-100-4"),
    ("grid", "float32", "8x8x1-100r@d2-4"), ("grid", "float32", "8x8x1-32c3p1-2p-bn-16c3p1-2a-do0.5-4"),
    ("grid", "int8", "8x8x1-32c3p1-2p-bn-16c3p1-2a-do0.5-4"), ("grid", "float32", "8x8x1-32c2-2p-bn-16c2-4"),
    ("exact", "float32", "8x8x1-32c3p1-2p-bn-16c3-2a-do0.5-4"), ("exact", "float32", "8x8x1-32c2-2p-bn-16c2-4"),
    ("grid", "float32", "8x8x1-100-4", "max"),
    ("grid", "float32", "8x8x1-100r@d2-4", "mean"), ("exact", "float32", "8x8x1-100-4", "max"),
    ("grid", "float32", "8x8x1-100-4", None, "LIF()"), ("grid", "float32", "8x8x1-100-4", "mean", "LIF()"),
    ("grid", "int8", "8x8x1-32c3p1-2p-bn-16c3p1-2a-do0.5-4", None, "CubaLIF()"),
    ("grid", "float32", "8x8x1-100r@d2-4", None, "CubaLIF(reset='hard')"),
    ("exact", "float32", "8x8x1-32c3p1-2p-bn-16c3-4", None, "LIF()"),
    ("exact", "float32", "8x8x1-100r@d2-4", None, "CubaLIF()"),
)])
def test_nothing_compiles_afterwards(clock, weights, arch, readout, neuron):
    code = _CODE % {"clock": clock, "weights": weights, "arch": arch, "readout": readout, "neuron": neuron}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("{}", "")
