"""Graphs in graphs: their nodes in the graph around them."""

from eventsim.errors import FormatError

_MOST_DEPTH = 8
_MOST_EDGES = 10**6  # that joining what comes in with what goes out may make


def flat(source, nodes, edges):
    """(nodes by name, edges) without nodes that are graphs, whose nodes are called ``graph.node``.

    Their Input and Output nodes become edges. Raises `FormatError` where a graph has not one of each.
    """
    nodes, edges, ends = _opened(source, dict(nodes), list(edges), 0)
    for end in ends:
        nodes.pop(end)
        before = [a for a, b in edges if b == end and a != end]
        after = [b for a, b in edges if a == end and b != end]
        if len(before) * len(after) > _MOST_EDGES:
            raise FormatError(f"{source}: node {end!r} joins {len(before)} nodes with {len(after)}; eventsim takes a "
                              "chain of nodes, so leave all but one out")
        edges = [edge for edge in edges if end not in edge] + [(a, b) for a in before for b in after]
    return nodes, edges


def _opened(source, nodes, edges, depth):
    """(nodes, edges, names of the inputs and outputs of graphs in it), which are nodes still."""
    if depth > _MOST_DEPTH:
        raise FormatError(f"{source}: has graphs in graphs, more than {_MOST_DEPTH} deep; write their nodes into the "
                          "graph around them")
    out, ends, doors, inner_edges = {}, [], {}, []
    for name, node in nodes.items():
        if not hasattr(node, "nodes"):
            out[name] = node
            continue
        inner, found, inner_ends = _opened(source, node.nodes, node.edges, depth + 1)
        doors[name] = [_door(source, name, inner, kind, inner_ends) for kind in ("Input", "Output")]
        inner = {f"{name}.{key}": one for key, one in inner.items()}
        twice = inner.keys() & (out.keys() | nodes.keys())
        if twice:
            raise FormatError(f"{source}: has two nodes called {min(twice)!r}, with those in {name!r}; rename one")
        out |= inner
        inner_edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in found]
        ends += [f"{name}.{end}" for end in (*inner_ends, *doors[name])]
    edges = [(f"{a}.{doors[a][1]}" if a in doors else a, f"{b}.{doors[b][0]}" if b in doors else b) for a, b in edges]
    return out, edges + inner_edges, ends


def _door(source, name, nodes, kind, without):
    """The one node of a graph that is its Input or Output."""
    found = [key for key, node in nodes.items() if type(node).__name__ == kind and key not in without]
    if len(found) != 1:
        raise FormatError(f"{source}: node {name!r} (NIRGraph) has {len(found)} {kind} nodes; eventsim takes graphs "
                          "with one, so join or add them")
    return found[0]
