"""Orders of spike lists, against Python's sort."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import lists as naive

from eventsim.kernels import call

TILE, N_TICKS = 64, 6
QUICK = settings(deadline=None, derandomize=True, max_examples=60)


@st.composite
def tiles(draw):
    """(B, tiles, items): spikes (tick, address) of every (tile, sample), some empty, each sorted."""
    n_samples, n_tiles = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lanes = st.integers(0, TILE - 1)
    items = [
        sorted((t, tile * TILE + lane) for t, lane in draw(st.sets(st.tuples(st.integers(0, N_TICKS - 1), lanes),
                                                                   max_size=12)))
        for tile in range(n_tiles) for _ in range(n_samples)
    ]
    return n_samples, n_tiles, items


samples = st.lists(
    st.lists(st.tuples(st.integers(0, N_TICKS - 1), st.integers(0, 6)), max_size=20).map(sorted), min_size=1, max_size=5
)


def columns(samples):
    """sample_ptr, address and tick of samples given as sorted lists of (tick, address)."""
    flat = np.array([pair for rows in samples for pair in rows], np.int32).reshape(-1, 2)
    return np.cumsum([0] + [len(rows) for rows in samples]), flat[:, 1].copy(), flat[:, 0].copy()


def room(sizes):
    """Arrays for the runs of samples with this many spikes, with something else in them."""
    most = np.minimum(sizes, N_TICKS) + 1
    return {
        "run_base": np.cumsum(most) - most, "run_count": np.full(len(most), -7),
        "run_tick": np.full(most.sum(), -7, np.int32), "run_start": np.full(most.sum(), -7),
    }


def check_runs(runs, sample_ptr, tick):
    for b, first in enumerate(sample_ptr[:-1]):
        part = slice(runs["run_base"][b], runs["run_base"][b] + runs["run_count"][b])
        starts = [*runs["run_start"][part], runs["run_start"][part.stop]]
        assert starts[0] == first and starts[-1] == sample_ptr[b + 1]
        want = naive.group_by_tick(tick[first : sample_ptr[b + 1]].tolist())
        assert list(zip(runs["run_tick"][part].tolist(), np.diff(starts).tolist(), strict=True)) == want


@QUICK
@given(tiles(), st.booleans())
def test_merged_items_are_sorted_by_sample_tick_and_address(case, halves):
    n_samples, n_tiles, items = case
    words, counts = [], []
    for i, item in enumerate(items):
        lanes = {}
        for t, address in item:
            lanes[t] = lanes.get(t, 0) | 1 << (address - i // n_samples * TILE)
        words += lanes.items()
        counts.append(len(lanes))
    sizes = np.array([len(item) for item in items]).reshape(n_tiles, n_samples).sum(axis=0)
    sample_ptr = np.cumsum([0, *sizes])
    address, tick = np.empty((2, sample_ptr[-1]), np.int32)
    runs = room(sizes)
    middle = n_samples // 2 if halves else 0
    for first, last in ((0, middle), (middle, n_samples)):
        call("merge_items", sample_first=first, sample_last=last, n_samples=n_samples, n_ticks=N_TICKS,
             word_ptr=np.cumsum([0, *counts]), word_tick=np.array([t for t, _ in words], np.int32),
             word_lanes=np.array([lanes for _, lanes in words], np.uint64), sample_ptr=sample_ptr, tick_end=(N_TICKS,),
             address=address, tick=tick, **runs)
    want = naive.merge_items([(i % n_samples, item) for i, item in enumerate(items)])
    sample = np.repeat(np.arange(n_samples), sizes)
    assert list(zip(sample.tolist(), tick.tolist(), address.tolist(), strict=True)) == want
    check_runs(runs, sample_ptr, tick)


@QUICK
@given(samples)
def test_runs_by_tick_hold_every_spike(samples):
    sample_ptr, _, tick = columns(samples)
    runs = room(np.diff(sample_ptr))
    call("group_by_tick", sample_first=0, sample_last=len(samples), sample_ptr=sample_ptr, tick=tick, **runs)
    check_runs(runs, sample_ptr, tick)


@QUICK
@given(samples, st.integers(1, 3))
def test_rows_by_address_hold_every_spike_of_a_neuron_in_the_order_of_time(samples, block_samples):
    sample_ptr, address, tick = columns(samples)
    blocks = -(-len(samples) // block_samples)
    neuron_ptr, row = np.full((blocks, 8), -7), np.full(len(tick), -7, np.int32)
    for block in range(blocks):
        call("group_by_address", block=block, block_samples=block_samples, n_ticks=N_TICKS, sample_ptr=sample_ptr,
             address=address, tick=tick, neuron_end=(7,), neuron_ptr=neuron_ptr, row=row)
    for block in range(blocks):
        inside = samples[block * block_samples : (block + 1) * block_samples]
        want = naive.group_by_address(inside, N_TICKS)
        got = {j: row[neuron_ptr[block, j] : neuron_ptr[block, j + 1]].tolist() for j in range(7)}
        assert {j: rows for j, rows in got.items() if rows} == want
        assert neuron_ptr[block, 0] == sample_ptr[block * block_samples]
