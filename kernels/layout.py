"""Numbers that kernels and their callers share."""

# Postsynaptic neurons of one tile: 256 bytes of float32, four cache lines, four AVX-512 registers.
TILE = 64


def n_tiles(n_neurons: int) -> int:
    """Tiles that ``n_neurons`` postsynaptic neurons fill, the last one padded with silent lanes."""
    return -(-n_neurons // TILE)


# Rows of a tile's state on the tick clock, and of a layer's on the exact clock (`cpu.srm` and `cpu.queue` name them).
STATE_ROWS = 6
QUEUE_ROWS = 7
# The row of the latter that holds the predicted crossing, and the scratch that predicting one takes.
NEXT = 6
EDGES = 16
# What the error lists of a layer hold: nothing, pairs of (neuron, tick), or every tick of every neuron.
NONE, PAIRS, ALL = 0, 1, 2
