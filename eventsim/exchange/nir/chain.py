"""The order of a graph's nodes, which must be a chain from its input to its output, but for ways back to neurons."""

from eventsim.errors import FormatError
from eventsim.exchange.nir.neurons import NEURONS


def chain(source, nodes, edges):
    """(names of the nodes from the input on, by name of neurons the nodes on the way from them back to them).

    Raises `FormatError` for every other graph.
    """
    after, before = ({name: [] for name in nodes} for _ in range(2))
    for a, b in dict.fromkeys(edges):
        for end in (a, b):
            if end not in nodes:
                raise FormatError(f"{source}: an edge goes from {a!r} to {b!r}, but there is no node {end!r}; export "
                                  "the file again")
        after[a].append(b)
        before[b].append(a)
    starts = [name for name, node in nodes.items() if type(node).__name__ == "Input"]
    if len(starts) != 1:
        raise FormatError(f"{source}: has {len(starts)} Input nodes; eventsim takes networks with one, so join or add "
                          "them")
    order, loops, here = [], {}, starts[0]
    while True:
        if len(before[here]) > len(order[:1]):
            way = _way_back(source, here, nodes, after, before)
            if way is not None:
                loops[here] = way
        order.append(here)
        _check_single(source, here, before[here], "takes its input from")
        _check_single(source, here, after[here], "sends its output to")
        if not after[here]:
            break
        here = after[here][0]
    left = sorted(set(nodes).difference(order, *loops.values()))
    if left:
        raise FormatError(f"{source}: node {left[0]!r} is not on the way from the input; eventsim takes a chain of "
                          "nodes, so remove it or connect it")
    return order, loops


def _check_single(source, name, others, what):
    """Raise `FormatError` where a node has several before it or behind it."""
    if len(others) > 1:
        raise FormatError(f"{source}: node {name!r} {what} {len(others)} nodes ({', '.join(map(repr, sorted(others)))})"
                          "; eventsim takes a chain without branches, so leave all but one out")


def _way_back(source, here, nodes, after, before):
    """The nodes from a neuron node back to itself, which are taken out of the graph; None where there are none."""
    back = sorted(name for name in after[here] if here in _reached(name, after))
    if not back:
        return None
    what = f"{source}: node {here!r} gets its own output back through {back[0]!r}"
    if type(nodes[here]).__name__ not in NEURONS:
        raise FormatError(f"{what}, and is no neurons; let what comes back go to the neurons themselves, and "
                          "their input too (Spyx writes it through the recurrent weights, which is not what it runs)")
    if len(back) > 1:
        raise FormatError(f"{what} and {back[1]!r}; add the weights of the two ways into those of one")
    way, name, last = [], back[0], here
    while name != here:
        if type(nodes[name]).__name__ in NEURONS:
            raise FormatError(f"{what} and the neurons {name!r}; eventsim has recurrence within a layer, so leave out "
                              "the connection between layers")
        if before[name] != [last] or len(after[name]) > 1:
            others = sorted({*before[name], *after[name]} - {last, here, *way})
            raise FormatError(f"{what}, and on that way {name!r} is connected to others as well ("
                              f"{', '.join(map(repr, others))}); eventsim has recurrence of one layer's own spikes, so "
                              "leave those out")
        way.append(name)
        last, name = name, after[name][0]
    after[here].remove(back[0])
    before[here].remove(last)
    return way


def _reached(name, after):
    """A node, and the nodes that get what it sends, by whatever way."""
    found, left = {name}, [name]
    while left:
        fresh = set(after[left.pop()]) - found
        found |= fresh
        left += fresh
    return found
