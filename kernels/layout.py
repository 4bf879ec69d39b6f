"""Numbers that kernels and their callers share."""

# Postsynaptic neurons of one tile: 256 bytes of float32, four cache lines, four AVX-512 registers.
TILE = 64
# Ticks of one chunk of an active set: the bits of a word, and as many rows of 256 bytes as half a first-level cache.
CHUNK = 64


def n_tiles(n_neurons: int) -> int:
    """Tiles that ``n_neurons`` postsynaptic neurons fill, the last one padded with silent lanes."""
    return -(-n_neurons // TILE)


def n_chunks(n_ticks: int) -> int:
    """Chunks that ``n_ticks`` ticks fill."""
    return -(-n_ticks // CHUNK)


# Indices into the float32 vector of a neuron's constants on the tick clock, `SRM.constants`: decays and gains of psp
# and refractory response, threshold, and what a truncated psp ends with.
ALPHA_SYN, GAIN_SYN, ALPHA_REF, GAIN_REF, THETA, CUT_P, CUT_Q = range(7)
# Indices into the float64 vector of a neuron's constants on the exact clock, `SRM.exact_constants`: rates of psp and
# refractory response, what a weight of 1 adds to b and a spike to d, threshold, and dead time.
EXACT_LAM, EXACT_MU, EXACT_KICK, EXACT_RECOIL, EXACT_THETA, EXACT_DEAD = range(6)
# Rows of a layer's state on the exact clock (`cpu.queue` names them).
QUEUE_ROWS = 7
# The row of it that holds the predicted crossing, and the scratch that predicting one takes.
NEXT = 6
EDGES = 16
# What the error lists of a layer hold: nothing, pairs of (neuron, tick), or every tick of every neuron.
NONE, PAIRS, ALL = 0, 1, 2
# What the backward pass does with a weight's gradient: add it to an array, or take a step of the optimiser at once.
ADD, ADAM = 0, 1
# Pairs that wait for their products to be summed up while an error is sent down, four numbers each, and room for the
# sums of 16.
RING = 128
SUMS = 4 * RING + 16
# The exact sweep: columns of a window (its begin and end in ms, its length, what psp and refractory response fall to in
# it and the inverse of the first, how much a psp's slope can lift it, and the tick that it ends on or -1), and of an
# event in its window (time since the window's begin, what psp and refractory response fall to until then, and what a
# unit of weight adds to b in the coordinates of the window's begin).
WINDOW_BEGIN, WINDOW_END, LENGTH, FALL, FALL_REF, RISE, CLIMB, AT_TICK = range(8)
WINDOW_COLUMNS = 8
# Rows of a tile's state on the exact clock: psp and refractory response (see `cpu.crossing`), and the time at which a
# neuron may fire again.
STATE_A, STATE_B, STATE_C, STATE_D, STATE_READY = range(5)
EXACT_ROWS = 5
