"""Numbers that kernels and their callers share."""

# Postsynaptic neurons of one tile: 256 bytes of float32, four cache lines, four AVX-512 registers.
TILE = 64
# Numbers of one register of AVX-512: a quarter of a tile.
SIXTEEN = 16
# Tiles whose spikes of a tick a thread of a GPU lists.
TILES_A_GROUP = 16
# Runs of input spikes that a wide block of a GPU sums up at the same time where only output spikes are wanted, and how
# many of these blocks a multiprocessor runs at once; blocks of larger launches are not wide.
RUNS_AT_ONCE, WIDE_BLOCKS = 4, 4
# Ticks of one chunk of an active set: the bits of a word, and as many rows of 256 bytes as half a first-level cache.
CHUNK = 64


def n_tiles(n_neurons: int) -> int:
    """Tiles that ``n_neurons`` postsynaptic neurons fill, the last one padded with silent lanes."""
    return -(-n_neurons // TILE)


def n_chunks(n_ticks: int) -> int:
    """Chunks that ``n_ticks`` ticks fill."""
    return -(-n_ticks // CHUNK)


# Families of neurons: the spike response model, and leaky integrate-and-fire.
SRM_FAMILY, LIF_FAMILY = range(2)
# Indices into the float32 vector of a neuron's constants on the tick clock, `SRM.constants`: decays and gains of psp
# and refractory response, threshold, and what a truncated psp ends with.
ALPHA_SYN, GAIN_SYN, ALPHA_REF, GAIN_REF, THETA, CUT_P, CUT_Q = range(7)
# Those of a leaky integrate-and-fire neuron, `LIF.constants`, in which theta has the same place: what potential and
# current fall to in a tick, what a unit of input adds to either, what a unit of current adds to the potential in a tick
# and at most until it is gone; and what becomes of the potential at a spike: it drops, or is reset where HARD is 1.
LIF_DECAY, LIF_GAIN, LIF_SYN_DECAY, LIF_SYN_GAIN, _, LIF_FEED, LIF_REACH, LIF_DROP, LIF_RESET, LIF_HARD = range(10)
# Row of a tile's drive that has, of such neurons, the constant input of a tick; BASE is 0 but for lanes of no neuron.
EACH_TICK = 1
# Rows of a tile's drive, what its constant input comes to: the potential that it has in the end (minus infinity for a
# lane that is no neuron), p and q at the start, as they are apart from that, and a margin for rounding.
BASE, FIRST_P, FIRST_Q, SLACK = range(4)
DRIVE_ROWS = 4
# Indices into the float64 vector of a neuron's constants on the exact clock, `SRM.exact_constants`: rates of psp and
# refractory response, what a weight of 1 adds to b and a spike to d, threshold, dead time, and the neurons' family.
EXACT_LAM, EXACT_MU, EXACT_KICK, EXACT_RECOIL, EXACT_THETA, EXACT_DEAD, EXACT_FAMILY = range(7)
# Of leaky integrate-and-fire neurons, whose family is LIF_FAMILY, also what a weight of 1 adds to c and to b (KICK is
# that to a, RECOIL what a spike adds to it), and what a hard reset leaves, where HARD is 1. See `cpu.lif_exact`.
EXACT_KICK_C, EXACT_KICK_B, EXACT_RESET, EXACT_HARD = range(7, 11)
EXACT_CONSTANTS = 11
# Rows of a tile's state in the event queue of the exact clock (`cpu.queue` names them), and the scratch that predicting
# a crossing takes.
QUEUE_ROWS = 6
EDGES = 16
# What the queue knows of a projection, the synapses from one population to a layer: the layer's first tile and its
# neurons; the first of the packed rows, how many a tile has; the number of its first presynaptic neuron; where it says
# which of them those of the population are; and its first synapse where every one has a delay of its own, else -1.
FIRST_TILE, N_OUT, FIRST_ROW, N_IN, FIRST_AXON, FIRST_SOURCE, FIRST_SYNAPSE = range(7)
# Projections that a population sends over at most: to the next layer, and back to itself.
SENDS = 2
# What the error lists of a layer hold: nothing, pairs of (neuron, tick), or every tick of every neuron.
NONE, PAIRS, ALL = 0, 1, 2
# What the backward pass does with a weight's gradient: add it to an array, or take a step of the optimiser at once.
ADD, ADAM, SGD = 0, 1, 2
# Pairs that wait for their products to be summed up while an error is sent down, four numbers each, and room for the
# sums of 16.
RING = 128
SUMS = 4 * RING + 16
# The exact sweep: columns of a window, which are its begin and end in ms, its length, what psp and refractory response
# fall to in it, how much a psp's slope can lift it, and the tick that it ends on, or -1. Its events cut a window into
# up to eight segments; from SEGMENT_TIME, _FALL and _FALL_REF on stand nine ends of segments, the first of them the
# window's begin: ms since then, and what psp and refractory response fall to; from SEGMENT_KICK on what a unit of
# weight of the event at the begin of each segment adds to b, in the coordinates of the window's begin.
WINDOW_BEGIN, WINDOW_END, LENGTH, FALL, FALL_REF, CLIMB, AT_TICK = range(7)
SEGMENTS = 8
# Dead times that a window is long, unless nobody can fire in it.
MOST_SPIKES = 8192
SEGMENT_TIME, SEGMENT_FALL, SEGMENT_FALL_REF, SEGMENT_KICK, WINDOW_COLUMNS = 7, 16, 25, 34, 42
# Rows of a tile's state on the exact clock, in the notation of `cpu.crossing`: a and b of the psp at the time up to
# which the tile was run, and room for those of a window later; c and d of the refractory response at the last spike;
# and its time.
STATE_PSP, STATE_NEXT, STATE_C, STATE_D, STATE_SPIKE = 0, 2, 4, 5, 6
EXACT_ROWS = 7
# Of leaky integrate-and-fire neurons instead: the potential and the current of the synapses at the time up to which the
# tile was run, room for both as they were before, and what resets since the last tick took off that of the next one.
LIF_V, LIF_CURRENT, LIF_V_BEFORE, LIF_CURRENT_BEFORE, LIF_UNDONE = range(5)
# Columns of a window of theirs, and of a step of it: its begin and end in ms, what potential and current fall to in it,
# what a unit of current adds to the potential by its end and at most, and the tick at its begin, or -1. A window has up
# to LIF_STEPS steps, at whose begins something arrives, and up to LIF_INNER arrivals after its own begin.
STEP_BEGIN, STEP_END, STEP_FALL, STEP_FADE, STEP_FEED, STEP_TOP, STEP_TICK = range(7)
STEP_COLUMNS, LIF_STEPS, LIF_INNER = 7, 8, 7
# What an input x ms ahead of a tick counts there (`Neuron.shares`): exp(-a x) of one number that the backward pass has
# of the tick, and b x exp(-c x) + d (exp(-a x) - exp(-c x)) of the other; a, c, b and d.
SHARE_RATE, SHARE_OTHER_RATE, SHARE_SLOPE, SHARE_DIFFERENCE = range(4)
# The last spike, in ms, of a neuron that never spiked: so long ago that nothing is left of it, and still a number.
NEVER = -1e300
