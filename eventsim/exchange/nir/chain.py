"""The order of a graph's nodes, which must be a chain from its input to its output."""

from eventsim.errors import FormatError


def chain(source, nodes, edges):
    """Names of the nodes from the input on; raises `FormatError` for every other graph."""
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
    order = starts
    while after[order[-1]]:
        here, further = order[-1], after[order[-1]]
        _check_single(source, here, further, after, "sends its output to")
        _check_single(source, further[0], before[further[0]], after, "takes its input from")
        order.append(further[0])
    left = sorted(set(nodes) - set(order))
    if left:
        raise FormatError(f"{source}: node {left[0]!r} is not on the way from the input; eventsim takes a chain of "
                          "nodes, so remove it or connect it")
    return order


def _check_single(source, name, others, after, what):
    """Raise `FormatError` where a node has several before it or behind it, or gets back what it sends."""
    circle = _reached(name, after)
    back = [other for other in others if name in _reached(other, after) and other in circle]
    if back:
        raise FormatError(f"{source}: node {name!r} gets its own output back through {back[0]!r}; eventsim has no "
                          "recurrence of such neurons yet, so leave the connection out")
    if len(others) > 1:
        raise FormatError(f"{source}: node {name!r} {what} {len(others)} nodes ({', '.join(map(repr, sorted(others)))})"
                          "; eventsim takes a chain without branches, so leave all but one out")


def _reached(name, after):
    """The nodes that get what a node sends, by whatever way."""
    found, left = set(), [name]
    while left:
        fresh = set(after[left.pop()]) - found
        found |= fresh
        left += fresh
    return found
