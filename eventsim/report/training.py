"""Settings of a training as people read them: those that are on."""

from eventsim.report import numbers

_OPTIMIZER = {"momentum": "momentum {:g}", "weight_decay": "weight decay {:g}"}
_BOUNDS = {"rate_low": "least", "rate_high": "most"}
_AUGMENT = {"shift": "shift {:g} px", "rotate": "turn {:g} degrees", "scale": "scale {:g}",
            "jitter": "jitter {:g} ms", "drop": "drop {:g}"}


def _that_are_on(config, texts):
    return [text.format(config[name]) for name, text in texts.items() if config.get(name)]


def method(config) -> str:
    """Batch, optimiser, learning rate and loss, from a configuration as a dict; older ones lack later settings."""
    optimizer = " ".join((config["optimizer"], f"{config['learning_rate']:g}", *_that_are_on(config, _OPTIMIZER)))
    schedule = config["schedule"]
    if config.get("step_epochs"):
        schedule += f" x{config['step_factor']:g} at epoch {', '.join(f'{at:g}' for at in config['step_epochs'])}"
    if config.get("warmup"):
        schedule += f", warm-up {config['warmup']:g} epochs"
    counts = "" if config["true_count"] is None else f" {config['true_count']:g}/{config['false_count']:g}"
    return f"batch {config['batch_size']}, {optimizer} {schedule}, {config['loss']}{counts}"


def defaults(settings) -> str:
    """Settings of a training that an architecture brings along, as one line."""
    texts = {name: " ".join(map(str, value)) if isinstance(value, tuple) else value for name, value in settings.items()}
    return ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items())


def backward_share(record) -> str | None:
    """What the backward pass of an epoch had to visit of every layer; None where that is not known."""
    if "active" not in record:
        return None
    return f"{', '.join(map(numbers.share, record['active']))} of neurons and ticks, by layer"


def extras(config):
    """Pairs (name, text) of what else is on."""
    bounds = [f"at {word} {config[name]:g}" for name, word in _BOUNDS.items() if config.get(name) is not None]
    if bounds:
        yield "Rates", f"{' and '.join(bounds)} spikes a neuron in hidden layers, weight {config['rate_weight']:g}"
    if config.get("loss_window"):
        yield "Counted", "output spikes from {:g} to {:g} ms".format(*config["loss_window"])
    augment = _that_are_on(config, _AUGMENT)
    if augment:
        yield "Augment", ", ".join(augment)
