"""The table of kernels: name, file, and every argument with its type, rank and role.

Argument checks, the scalar casts of GPU launches and the mirror tests are derived from it. A line reads
``role dtype[axes]: name name ...``, arguments in the order of the call. The role is nothing for what is read, ``out``
for what is written, and ``scratch`` for what is neither input nor result: callers give its shape. A scalar has no axes.
``a|b`` is an argument of either type; the kernel is compiled for each.
"""

import functools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel; a role of "in", "out" or "scratch"."""

    name: str
    dtypes: tuple[np.dtype, ...]
    rank: int
    role: str

    @property
    def dtype(self) -> np.dtype:
        """The type, of several the first."""
        return self.dtypes[0]

    @functools.cached_property
    def scalar(self) -> type:
        """The NumPy type that a scalar is cast to."""
        return self.dtype.type


@dataclass(frozen=True)
class Kernel:
    """One kernel: the file (stem) that it stands in, and its arguments in order."""

    file: str
    arguments: tuple[Argument, ...]


def _arguments(line):
    kind, names = line.split(":")
    *role, kind = kind.split()
    dtypes, _, axes = kind.partition("[")
    rank = axes.count(",") + 1 if axes else 0
    types = tuple(map(np.dtype, dtypes.split("|")))
    return [Argument(name, types, rank, *(role or ["in"])) for name in names.split()]


def _kernel(file, text):
    return Kernel(file, tuple(argument for line in text.splitlines() if line.strip() for argument in _arguments(line)))


KERNELS: dict[str, Kernel] = {}

_INPUT = """
    int64[samples]: run_base run_count
    int32[runs]: run_tick
    int64[runs]: run_start
    int32[spikes]: address
"""

KERNELS["dense_forward"] = _kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps
    float32|int8|uint16[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {_INPUT}
    float32[constants]: constants
    scratch int32[lanes]: ready
    scratch float32[one,lanes]: fetched
    out int64[two]: progress
    out int64[items]: item_spikes item_words
    out int32[words]: word_tick
    out uint64[words]: word_lanes
""")

KERNELS["dense_forward_active"] = _kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {_INPUT}
    float32[constants]: constants
    scratch int32[lanes]: ready
    scratch float32[ticks,lanes]: chunk_u
    scratch uint64[ticks]: chunk_lanes
    out int64[four]: progress
    out int64[items]: item_spikes item_words
    out int32[words]: word_tick
    out uint64[words]: word_lanes
    out int32[blocks]: block_entries block_pairs
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out float32[pairs]: rho
""")

KERNELS["sparse_forward"] = _kernel("sparse", f"""
    int64: sample neuron_first neuron_last n_ticks n_abs
    {_INPUT}
    int64[neurons]: row_start
    int32[synapses]: target
    float32[synapses]: weight
    float32[constants]: constants
    out float32[tiles,rows,lanes]: state
    out float32[tiles,lanes]: total
    out int64[tiles]: since
    out uint8[tiles]: doing
    out int32[lanes]: ready
    out int64[three]: progress
    out int32[spikes]: spike_tick spike_address
""")

KERNELS["delayed_forward"] = _kernel("delayed", f"""
    int64: sample n_neurons n_ticks n_abs
    {_INPUT}
    float32[tiles,n_in,lanes]: weight own_weight
    int32[n_in,n_out]: delay own_delay
    float32[constants]: constants
    out float32[tiles,rows,lanes]: state
    out float32[ticks,tiles,lanes]: ring
    out int32[lanes]: ready
    out int64[three]: progress
    out int32[spikes]: spike_tick spike_address
""")

KERNELS["group_by_tick"] = _kernel("lists", """
    int64: sample_first sample_last
    int64[samples]: sample_ptr
    int32[spikes]: tick
    int64[samples]: run_base
    out int64[samples]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["merge_items"] = _kernel("lists", """
    int64: sample_first sample_last n_samples n_ticks
    int64[items]: word_ptr
    int32[words]: word_tick
    uint64[words]: word_lanes
    int64[samples]: sample_ptr run_base
    scratch int64[ticks]: tick_end
    out int32[spikes]: address tick
    out int64[samples]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["group_by_address"] = _kernel("lists", """
    int64: block block_samples n_ticks
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    scratch int64[neurons]: neuron_end
    out int64[blocks,neurons]: neuron_ptr
    out int32[spikes]: row
""")

KERNELS["dense_backward"] = _kernel("dense_adjoint", f"""
    int64: group tile_first tile_last n_samples block_samples n_neurons n_ticks n_abs n_taps
    float32: dt rho_width rho_peak
    float32[constants]: constants
    {_INPUT}
    int64[blocks,neurons]: neuron_ptr
    int32[spikes]: row
    float32[spikes,two]: share
    int64: kind
    int64[blocks]: entry_start pair_start
    uint8[entries]: entry_lane
    uint64[entries]: entry_ticks
    float32[pairs]: rho
    float32[groups,pairs]: error
    int64: below_kind below_neurons
    int64[blocks]: below_entry_start below_pair_start
    uint8[entries]: below_lane
    uint64[entries]: below_ticks
    int64: rule
    float32[settings]: settings
    scratch int32[lanes]: ready
    scratch float32[two,lanes]: state
    scratch float32[ticks,lanes]: g ramp kept
    scratch float32[sums]: sums
    scratch float32[n_in,lanes]: total
    out float32[tiles,n_in,lanes]: weight gradient mean square
    out float32[groups,pairs]: error_below
""")

KERNELS["adam_step"] = _kernel("optimizer", """
    int64: first last
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient mean square
""")

KERNELS["read_rows"] = _kernel("bandwidth", """
    int64: first last repeats
    float32[rows,lanes]: rows
    out float32[one,lanes]: total
""")

KERNELS["bin_events"] = _kernel("bin", """
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: width height step n_ticks
    bool: keep_repeats
    out int32[events]: tick address
    out int64[three]: counts
""")

KERNELS["remap_spikes"] = _kernel("bin", """
    int32[neurons]: table
    int32[spikes]: tick address
    bool: keep_repeats
    out int32[spikes]: new_tick new_address
    out int64[two]: counts
""")

KERNELS["queue_network"] = _kernel("queue", """
    int64: last
    float64: until t_end
    int64[layers]: first_tile sends
    int64[projections,fields]: projection
    float32[rows,lanes]: weight
    float64[axons]: delay
    int32[synapses]: target
    float64[synapses]: target_delay
    int32[spikes]: address
    float64[spikes]: time
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float64[lanes]: reach
    out float64[tiles,rows,lanes]: state
    out float64[neurons]: due
    out bool[neurons]: sure
    out int64[neurons]: heap place
    out int64[four]: progress
    out float64[flights,two]: flight_time
    out int64[flights,three]: flight_route
    out float64[spikes]: spike_time
    out int64[spikes]: spike_neuron
""")

KERNELS["camera_events"] = _kernel("camera", """
    float64[rows,columns]: scene
    int64[steps]: row column
    float64[steps]: down right
    int64: width height
    float64: step follow leak
    float64[polarities,pixels]: threshold
    float64[pixels]: refractory phase
    out int64[two]: progress
    out float64[events]: t
    out uint16[events]: x y
    out uint8[events]: p
""")

_WINDOWS = """
    int32[spikes]: address
    int64[samples]: sample_ptr window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_event
    int32[windows,segments]: window_address
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float32[one,lanes]: fetched
"""

KERNELS["cut_windows"] = _kernel("windows", """
    int64: sample_first sample_last
    float64: begin end longest longest_silence settled dt
    int64[samples]: sample_ptr
    float64[spikes]: time
    int64[samples]: window_base
    out int64[samples]: window_count
    out float64[windows,columns]: window
    out int64[windows]: window_event
""")

KERNELS["fill_windows"] = _kernel("windows", """
    int64: window_first window_last
    float64[spikes]: time
    int32[spikes]: address
    float64[constants]: constants
    int64[windows]: window_event
    out float64[windows,columns]: window
    out int32[windows,segments]: window_address
    out float64[spikes,two]: coefficient
    out float32[spikes]: upper
""")

KERNELS["exact_forward"] = _kernel("exact", f"""
    int64: item_first item_last n_samples n_neurons
    float32[tiles,n_in,lanes]: weight
    {_WINDOWS}
    out float64[items,rows,lanes]: state
    out float32[items,rows,lanes]: response
    out int64[five]: progress
    out int64[items]: item_spikes
    out float64[spikes]: spike_time
    out int32[spikes]: spike_address
""")

KERNELS["exact_forward_active"] = _kernel("exact_active", f"""
    int64: item_first item_last n_samples n_neurons n_ticks
    float64: dt
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    {_WINDOWS}
    scratch float64[rows,lanes]: state
    scratch float32[rows,lanes]: response before
    scratch float32[ticks,lanes]: chunk_u
    scratch uint64[ticks]: chunk_lanes
    out int64[six]: progress
    out int64[items]: item_spikes
    out float64[spikes]: spike_time
    out int32[spikes]: spike_address
    out int32[blocks]: block_entries block_pairs
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out float32[pairs]: rho
""")

KERNELS["merge_times"] = _kernel("times", """
    int64: sample_first sample_last n_samples
    float64: begin end
    int64[items]: item_ptr
    float64[spikes]: item_time
    int32[spikes]: item_address
    int64[samples]: sample_ptr
    scratch int64[buckets]: bucket_end
    out float64[spikes]: time
    out int32[spikes]: address
""")

KERNELS["group_times_by_address"] = _kernel("times", """
    int64: block block_samples n_ticks
    float64: dt tau
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
    scratch int64[neurons]: neuron_end
    out int64[blocks,neurons]: neuron_ptr
    out int32[spikes]: row
    out float32[spikes,two]: share
""")
