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


@QUICK
@given(tiles())
def test_merged_items_are_sorted_by_sample_tick_and_address(case):
    n_samples, n_tiles, items = case
    item_ptr = np.cumsum([0] + [len(item) for item in items])
    flat = np.array([pair for item in items for pair in item], np.int32).reshape(-1, 2)
    sample_ptr = np.empty(n_samples + 1, np.int64)
    address, tick = np.empty((2, len(flat)), np.int32)
    call("merge_items", n_samples, n_tiles, N_TICKS, item_ptr, flat[:, 0].copy(), flat[:, 1].copy(),
         np.empty(N_TICKS, np.int64), sample_ptr, address, tick)
    want = naive.merge_items([(i % n_samples, item) for i, item in enumerate(items)])
    sample = np.repeat(np.arange(n_samples), np.diff(sample_ptr))
    assert list(zip(sample.tolist(), tick.tolist(), address.tolist(), strict=True)) == want
    assert sample_ptr[0] == 0


@QUICK
@given(st.lists(st.lists(st.tuples(st.integers(0, N_TICKS - 1), st.integers(0, 6)), max_size=20), max_size=4))
def test_runs_hold_every_spike_of_a_neuron_in_the_order_of_time(samples):
    samples = [sorted(rows) for rows in samples]
    sample_ptr = np.cumsum([0] + [len(rows) for rows in samples])
    flat = np.array([pair for rows in samples for pair in rows], np.int32).reshape(-1, 2)
    n = len(flat)
    run_ptr, run_start = np.empty(len(samples) + 1, np.int64), np.empty(n + 1, np.int64)
    run_address, run_tick = np.empty(n, np.int32), np.empty(n, np.int32)
    call("group_by_address", sample_ptr, flat[:, 1].copy(), flat[:, 0].copy(), np.empty(7, np.int64), run_ptr,
         run_address, run_start, run_tick)
    assert run_ptr[0] == 0 and run_start[run_ptr[-1]] == n
    for b, rows in enumerate(samples):
        got = [(int(run_address[r]), run_tick[run_start[r] : run_start[r + 1]].tolist())
               for r in range(run_ptr[b], run_ptr[b + 1])]
        assert got == naive.group_by_address(rows)
