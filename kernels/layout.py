"""Numbers that kernels and their callers share."""

# Postsynaptic neurons of one tile: 256 bytes of float32, four cache lines, four AVX-512 registers.
TILE = 64


def n_tiles(n_neurons: int) -> int:
    """Tiles that ``n_neurons`` postsynaptic neurons fill, the last one padded with silent lanes."""
    return -(-n_neurons // TILE)
