"""Event-driven spiking neural networks: train and run them on address-event recordings, working only where spikes are.

Names are looked up when they are first used, so that importing the package compiles and loads nothing.
"""

from importlib import import_module

_NAMES = {
    "Arrivals": "eventsim.events",
    "CubaLIF": "eventsim.model",
    "Events": "eventsim.events",
    "EventsimError": "eventsim.errors",
    "LI": "eventsim.model",
    "LIF": "eventsim.model",
    "Network": "eventsim.model",
    "Profile": "eventsim.profile",
    "SRM": "eventsim.model",
    "Sensor": "eventsim.sensor",
    "Spikes": "eventsim.spikes",
    "Stream": "eventsim.engine",
    "Trace": "eventsim.engine",
    "Trainer": "eventsim.trainer",
    "evaluate": "eventsim.trainer",
    "load": "eventsim.trainer",
    "open_dataset": "eventsim.data",
    "read": "eventsim.data",
    "save": "eventsim.trainer",
    "write": "eventsim.data",
}
__all__ = [*_NAMES, "__version__"]


def __getattr__(name):
    if name == "__version__":
        from importlib.metadata import version

        return version("eventsim")
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'eventsim' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
