"""`Network` in a notebook: what it is, layer by layer."""

from eventsim.report import description
from eventsim.report.notebook.markup import fragment


def show(network) -> str:
    """HTML of a network."""
    facts, *rest = description.screen(description.of_network(network.arch.notation, network))
    weights = [] if network.weights == "float32" else [("Weights", f"{network.weights}, for inference")]
    return fragment("Network", [*facts, ("Clock", f"{network.clock}, input {network.input_mode}"), *weights], *rest)
