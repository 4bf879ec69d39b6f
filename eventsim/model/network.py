"""`Network`: a stack of layers of one neuron model, with its clock."""

import copy

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.model import arch as architectures
from eventsim.model.layers import LAYERS
from eventsim.model.neurons import LI, NEURONS, SRM, as_config, from_config
from eventsim.model.precision import WEIGHTS
from eventsim.model.stages import STAGES

INPUT_MODES = ("or", "count")
CLOCKS = ("grid", "exact")
_CONFIG = ("arch", "neuron", "dt", "n_ticks", "clock", "input_mode", "neurons")
# slayerPytorch's scale for dense weights; training calibrates every layer from its data instead.
_INITIAL_GAIN = 10.0
# Thresholds that a synapse of slayerPytorch's pool weighs: a spike at the peak of its psp is enough.
_POOL_WEIGHT = 1.1
# Layers whose potentials can be read, where they have neither delays nor recurrence.
_READABLE = ("dense", "conv")


class Network:
    """A spiking network: a stack of layers, dense or convolutional, which may be recurrent and have delays.

    Parameters
    ----------
    arch : name (``smlp``, ``scnn``, ...) or notation (``34x34x2-12c5-2a-64c5-2a-10``, ``700-128r@d2.5-20``), see
        `eventsim.model.arch.parse`
    neuron : one of `eventsim.model.neurons`; default: the named architecture's, else ``SRM()``
    dt : ms, a tick of the grid clock
    n_ticks : ticks of a sample on the grid; None: as many as the recording needs
    clock : "grid" or "exact", what `simulate` runs on unless told otherwise
    input_mode : "or" (at most one spike an address and tick) or "count"
    seed : of the weights; None: they are zero, to be set
    readout : what is read of the potentials of the last layer, which then never spikes: "mean", "last" or "max", or an
        `LI`; None: its spikes are counted
    readout_tau : ms, tau_mem of that layer; None: that of ``neuron``, or of an `LI` where it has none

    The notation gives a layer one delay; others are assigned to ``layers[i].delay`` and ``layers[i].recurrent.delay``.
    Raises `ConfigError` for every argument that cannot work.
    """

    def __init__(self, arch="mlp512", neuron=None, *, dt=1.0, n_ticks=None, clock="grid", input_mode="or", seed=0,
                 readout=None, readout_tau=None):
        self.arch = architectures.parse(arch)
        preset = architectures.PRESETS.get(arch)
        self.neuron = neuron if neuron is not None else SRM(**(preset.neuron if preset else {}))
        _check_spiking("neuron", self.neuron)
        self.dt = checks.milliseconds("dt", dt)
        self.n_ticks = None if n_ticks is None else checks.whole_number("n_ticks", n_ticks, 1)
        self.clock = checks.choice("clock", clock, CLOCKS)
        self.input_mode = checks.choice("input_mode", input_mode, INPUT_MODES)
        self.layers = [self._layer(field) for field in self.arch.layers]
        self.layers[-1].neuron = _integrator(readout, readout_tau, self.neuron)
        _ = self.neurons  # which may not be
        if seed is not None:
            rng = np.random.default_rng(checks.whole_number("seed", seed, 0))
            for layer in self.layers:
                layer.initialize(rng, _INITIAL_GAIN)

    def _layer(self, field):
        """The layer that a field of the notation says."""
        kind = LAYERS[field.kind]
        if field.kind == "conv":
            layer = kind(field.given, field.shape.channels, field.window, field.groups)
        elif field.kind == "pool":
            layer = kind(field.given, field.window.size, _POOL_WEIGHT * self.neuron.theta, field.window.rounds_up)
        else:
            layer = kind(field.given.size, field.shape.size, field.given)
            for part in layer.projections:
                part.delay = field.delay
        layer.stages = tuple(
            STAGES[stage.kind](stage.given, *(() if stage.value is None else (stage.value,)))
            for stage in field.stages
        )
        return layer

    def __repr__(self):
        own = [f", {name} {layer.neuron}" for name, layer in zip(self.layer_names, self.layers, strict=True)
               if layer.neuron is not None]
        return f"Network({self.arch.notation!r}, {self.n_weights} weights, {self.neuron}{''.join(own)})"

    def _repr_html_(self):
        from eventsim.report.notebook import network  # the report imports this module, so it is looked up late

        return network.show(self)

    @property
    def sensor(self):
        """The `Sensor` whose events the network takes."""
        return self.arch.sensor

    @property
    def layer_names(self) -> list[str]:
        """What reports and files call the layers: kind and number, from 1."""
        return [f"{layer.kind}{i + 1}" for i, layer in enumerate(self.layers)]

    @property
    def neurons(self) -> list:
        """The neuron model of every layer.

        Raises `ConfigError` where one is none, or never spikes and is not to be read.
        """
        _check_spiking("neuron", self.neuron)
        found = [self.neuron if layer.neuron is None else layer.neuron for layer in self.layers]
        for i, (name, layer, neuron) in enumerate(zip(self.layer_names, self.layers, found, strict=True), 1):
            if not isinstance(neuron, LI):
                _check_spiking(f"the neuron of {name}", neuron)
                continue
            if i < len(found):
                raise ConfigError(f"neurons of {name} are {neuron}, which never spike, so nothing reaches the layers "
                                  "behind them; read the last layer's potentials")
            if layer.kind not in _READABLE or not layer.is_immediate:
                what = "has delays" if layer.kind in _READABLE else f"is a {layer.kind} layer"
                raise ConfigError(f"potentials are read of a dense or convolutional layer without delays or "
                                  f"recurrence, and {name} {what}; end with one, or leave the readout out")
        return found

    @property
    def readout(self) -> LI | None:
        """The neurons of the last layer, where its potentials are read; None: its spikes are counted."""
        last = self.neurons[-1]
        return last if isinstance(last, LI) else None

    @property
    def spiking(self) -> "Network":
        """The layers that spike, as a network that shares them: without the last, where its potentials are read."""
        if self.readout is None:
            return self
        other = copy.copy(self)
        other.layers = self.layers[:-1]
        return other

    @property
    def n_weights(self) -> int:
        """Weights of all layers."""
        return sum(layer.n_weights for layer in self.layers)

    @property
    def parameters(self) -> list:
        """What training changes, arrays in rows of 64: those of every layer, see `Layer.parameters`."""
        return [array for layer in self.layers for array in layer.parameters]

    @property
    def decayed(self) -> list[bool]:
        """Whether weight decay acts on each of the `parameters`: on weights, not on what normalises."""
        return [array is layer.packed for layer in self.layers for array in layer.parameters]

    @property
    def is_immediate(self) -> bool:
        """Whether no layer has delays or recurrence: in continuous time layers are swept one after the other then."""
        return all(layer.is_immediate for layer in self.layers)

    @property
    def is_spatial(self) -> bool:
        """Whether there are convolutions, pools, or stages between layers."""
        return any(layer.kind in ("conv", "pool") or layer.stages for layer in self.layers)

    def config(self) -> dict:
        """Everything but weights, constant inputs, and delays set later, as plain values.

        ``neurons`` are those of the layers that have their own, None for the others; the entry is there where one has.
        ``Network.from_config`` takes it back. Raises `ConfigError` as `neurons` does.
        """
        _ = self.neurons  # which may not be
        own = [None if layer.neuron is None else as_config(layer.neuron) for layer in self.layers]
        return {
            "arch": self.arch.notation,
            "neuron": as_config(self.neuron),
            "dt": self.dt,
            "n_ticks": self.n_ticks,
            "clock": self.clock,
            "input_mode": self.input_mode,
            **({"neurons": own} if any(own) else {}),
        }

    @classmethod
    def from_config(cls, config: dict) -> "Network":
        """The network that `config` describes, with all weights zero."""
        if not isinstance(config, dict) or not {"arch", "neuron"} <= set(config) <= set(_CONFIG):
            raise ConfigError(f"a network's configuration has the entries {', '.join(_CONFIG)}, got {config!r}")
        own = config.get("neurons")
        rest = {key: value for key, value in config.items() if key not in ("arch", "neuron", "neurons")}
        network = cls(config["arch"], from_config(config["neuron"]), **rest, seed=None)
        if own is not None and not (isinstance(own, list) and len(own) == len(network.layers)):
            raise ConfigError(f"neurons must be a list with an entry for each of {len(network.layers)} layers, got "
                              f"{own!r}")
        for layer, neuron in zip(network.layers, own or (), strict=False):
            layer.neuron = None if neuron is None else from_config(neuron)
        _ = network.neurons  # which may not be
        return network

    @property
    def weights(self) -> str:
        """What the weights are kept in: "float32", or of a network `with_weights` "float16" or "int8"."""
        return self.layers[0].precision

    def with_weights(self, precision: str) -> "Network":
        """The network with its weights in "float16" or "int8", for inference; itself for what it has.

        Rows of weights are what simulation moves through memory, so those of int8 are faster; float16 saves memory. The
        weights are copied: later changes of the one do not reach the other. Raises `ConfigError` for another precision,
        and where a layer has delays or recurrence, which run in float32.
        """
        checks.choice("weights", precision, WEIGHTS)
        if precision == self.weights:
            return self
        other = copy.copy(self)
        other.layers = [layer.with_weights(precision) for layer in self.layers]
        return other

    @property
    def device(self):
        """Where the network runs: a `Device` of `eventsim.kernels.cuda`, or None, the CPU."""
        return self.layers[0].device

    def to(self, device: str):
        """The network on the device "cpu", "gpu" or, of several, "gpu:1"; itself where it is there.

        The weights are copied: later changes of the one do not reach the other. Raises `DeviceError` where there is no
        such device, and `ConfigError` for a network that does not run on it.
        """
        from eventsim.engine.gpu.devices import on_device, open_device  # looked up late, as below

        return on_device(self, open_device(device))

    def simulate(self, events, *, clock=None):
        """Run one recording; returns a `Trace`. See `eventsim.engine.simulate`."""
        from eventsim.engine import simulate  # the engine imports the model, so this name is looked up late

        return simulate(self, events, clock=clock)


def _check_spiking(name, neuron):
    """Raise `ConfigError` unless ``neuron`` is a model that spikes."""
    if not isinstance(neuron, tuple(NEURONS.values())):
        models = ", ".join(model.__name__ for model in NEURONS.values())
        how = "; LI is for the last layer: name it as readout" if isinstance(neuron, LI) else ""
        if isinstance(neuron, type) and neuron in NEURONS.values():
            how = f"; make one, {neuron.__name__}()"
        raise ConfigError(f"{name} must be one of the models {models}, got {neuron!r}{how}")


def _integrator(readout, tau, neuron):
    """The `LI` that arguments of `Network` say, or None."""
    if readout is None or isinstance(readout, LI):
        if tau is not None:
            beside = "without one" if readout is None else f"beside {readout!r}"
            raise ConfigError(f"readout_tau is the time constant of a readout named mean, last or max, got {tau!r} "
                              f"{beside}; leave it out, or name one")
        return readout
    own = getattr(neuron, "tau_mem", None) if tau is None else tau
    try:
        return LI(readout=readout) if own is None else LI(tau_mem=own, readout=readout)
    except ConfigError as error:  # it calls the time constant as the user of an LI does
        raise ConfigError(str(error).replace("neuron parameter tau_mem", "readout_tau")) from None
