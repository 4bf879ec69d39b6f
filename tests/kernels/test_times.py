"""Orders of spike lists in continuous time, and the windows that the exact sweep cuts them into."""

import itertools
import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive.exact import alpha

from eventsim.engine.windows import cut
from eventsim.kernels import call
from eventsim.kernels.layout import (
    AT_TICK,
    EXACT_DEAD,
    LENGTH,
    SEGMENT_KICK,
    SEGMENT_TIME,
    SEGMENTS,
    WINDOW_BEGIN,
    WINDOW_END,
)
from eventsim.model import SRM

QUICK = settings(deadline=None, derandomize=True, max_examples=100)


def random_list(rng, n, begin, end, grain):
    """Times in [begin, end): anywhere, on multiples of ``grain``, all in a small part, or all the same."""
    kind = rng.integers(0, 4)
    time = rng.uniform(begin, end, n)
    if kind == 1:
        time = np.maximum(begin, np.floor(time / grain) * grain)
    if kind == 2:
        time = begin + (end - begin) * rng.random(n) * 10.0 ** -rng.integers(1, 9)
    if kind == 3:
        time = np.full(n, rng.choice([begin, np.nextafter(end, begin), rng.uniform(begin, end)]))
    return np.minimum(time, np.nextafter(end, begin))


@QUICK
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0, 3, 30, 400]),
       st.sampled_from([(0.0, 60.0), (1e6, 1e6 + 1e-3), (5.0, np.nextafter(5.0, 6.0))]), st.booleans())
def test_merged_times_are_sorted_by_sample_time_and_address(seed, n_samples, n_tiles, most, span, halves):
    rng = np.random.default_rng(seed)
    items = [random_list(rng, rng.integers(0, most + 1), *span, 0.5) for _ in range(n_tiles * n_samples)]
    item_ptr = np.cumsum([0] + [len(item) for item in items])
    item_time = np.concatenate(items)
    item = np.repeat(np.arange(len(items)), np.diff(item_ptr))
    item_address = (64 * (item // n_samples) + rng.integers(0, 64, len(item))).astype(np.int32)
    sizes = np.bincount(item % n_samples, minlength=n_samples)
    sample_ptr = np.cumsum([0, *sizes])
    time, address = np.empty(len(item)), np.empty(len(item), np.int32)
    middle = n_samples // 2 if halves else 0
    for first, last in ((0, middle), (middle, n_samples)):
        call("merge_times", sample_first=first, sample_last=last, n_samples=n_samples, begin=span[0], end=span[1],
             item_ptr=item_ptr, item_time=item_time, item_address=item_address, sample_ptr=sample_ptr,
             bucket_end=(int(sizes.max()) + 1,), time=time, address=address)
    order = np.lexsort((item_address, item_time, item % n_samples))
    np.testing.assert_array_equal(time, item_time[order])
    np.testing.assert_array_equal(address, item_address[order])


@QUICK
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 3), st.sampled_from([1.0, 0.3, 0.7]))
@example(0, 1, 1, 0.1)
def test_rows_by_address_and_their_shares_give_g_at_every_spike(seed, n_samples, block_samples, dt):
    """g is a sum of alpha functions that end at ticks, for which the kernel's two shares are exact."""
    rng, n_ticks, n, tau = np.random.default_rng(seed), 9, 7, 2.5
    lists = [np.sort(random_list(rng, rng.integers(0, 40), 0.0, n_ticks * dt, dt)) for _ in range(n_samples)]
    sample_ptr, time = np.cumsum([0] + [len(x) for x in lists]), np.concatenate(lists)
    address = rng.integers(0, n, len(time)).astype(np.int32)
    blocks = -(-n_samples // block_samples)
    neuron_ptr, row = np.full((blocks, n + 1), -7), np.full(len(time), -7, np.int32)
    share = np.full((len(time), 2), np.nan, np.float32)
    for block in range(blocks):
        call("group_times_by_address", block=block, block_samples=block_samples, n_ticks=n_ticks, dt=dt,
             shares=SRM(tau_syn=tau).shares(dt), sample_ptr=sample_ptr, address=address, time=time, neuron_end=(n,),
             neuron_ptr=neuron_ptr, row=row, share=share)
    drive, ticks = rng.normal(size=(n_samples, n_ticks)), np.arange(n_ticks) * dt
    p, g = np.zeros((n_samples, n_ticks + 1)), np.zeros((n_samples, n_ticks + 1))
    for t in range(n_ticks - 1, -1, -1):  # as `adjoint_psp` steps it; ramp is p after what drives it
        fall = math.exp(-dt / tau)
        g[:, t] = fall * (g[:, t + 1] + p[:, t + 1])
        p[:, t] = fall * p[:, t + 1] + math.e * dt / tau * drive[:, t]
    sample = np.repeat(np.arange(n_samples), np.diff(sample_ptr))
    for block in range(blocks):
        first = block * block_samples
        assert neuron_ptr[block, 0] == sample_ptr[first]
        for j in range(n):
            part = slice(neuron_ptr[block, j], neuron_ptr[block, j + 1])
            mine = np.flatnonzero((address == j) & (sample // block_samples == block))
            assert part.stop - part.start == len(mine)
            b, k = np.divmod(row[part], n_ticks)
            np.testing.assert_array_equal(first + b, sample[mine])
            got = share[part, 0] * g[first + b, k] + share[part, 1] * p[first + b, k]
            want = [drive[sample[i]] @ alpha(ticks - time[i], tau) for i in mine]
            np.testing.assert_allclose(got, want, rtol=0, atol=3e-6)


@st.composite
def batches(draw):
    """(neuron, sample_ptr, time, address, begin, end, dt) of a few samples that are cut into windows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    neuron = SRM(tau_syn=draw(st.sampled_from([0.1, 4.0, 200.0])), tau_ref=draw(st.sampled_from([0.05, 1.0, 50.0])),
                 t_abs=draw(st.sampled_from([0.02, 1.0])))
    dt = draw(st.sampled_from([0.0, 0.3, 1.0, 7.0]))
    begin = draw(st.sampled_from([0.0, 13.7])) if not dt else 0.0
    end = begin + (draw(st.sampled_from([1, 3, 20])) * dt if dt else draw(st.sampled_from([1e-9, 0.4, 20.0, 1500.0])))
    sizes = draw(st.lists(st.integers(0, 60), max_size=3))
    time = np.concatenate([np.empty(0), *(np.sort(random_list(rng, n, begin, end, dt or 0.5)) for n in sizes)])
    address = rng.integers(0, 9, len(time)).astype(np.int32)
    return neuron, np.cumsum([0, *sizes]), time, address, begin, end, dt


@QUICK
@given(batches())
def test_windows_tile_the_span_and_hold_every_event_once(batch):
    neuron, sample_ptr, time, address, begin, end, dt = batch
    constants = neuron.exact_constants(1.0)
    got = cut(sample_ptr, time, address, begin, end, neuron, constants, dt)
    used = np.append(got.window_base, len(got.window))
    longest = min(0.25 * neuron.tau_syn, 8192 * constants[EXACT_DEAD])
    silence = min(30 * neuron.tau_syn, 8192 * constants[EXACT_DEAD])
    for b, base in enumerate(got.window_base):
        count = got.window_count[b]
        assert base + count < used[b + 1]  # one more entry ends the last window's events
        windows, events = got.window[base : base + count], got.window_event[base : base + count + 1]
        assert events[0] == sample_ptr[b] and events[-1] == sample_ptr[b + 1]
        edges = np.append(windows[:, WINDOW_BEGIN], end)
        assert edges[0] == begin
        np.testing.assert_array_equal(windows[:, WINDOW_END], edges[1:])
        np.testing.assert_array_equal(windows[:, LENGTH], np.diff(edges))
        quiet_since = begin
        for w, (first, last) in enumerate(itertools.pairwise(events)):
            assert 0 <= last - first < SEGMENTS
            inside = time[first:last]
            # On a window's end are only events that share their time with the first one of the next.
            assert np.all((edges[w] <= inside) & (inside <= edges[w + 1]))
            assert np.all((inside < edges[w + 1]) | np.isin(edges[w + 1], time[last : last + 1]))
            most = longest if last > first else silence
            assert windows[w, LENGTH] <= most * (1 + 1e-9) or (
                last == first and edges[w] - quiet_since >= 200 * neuron.tau_syn)
            quiet_since = edges[w + 1] if last > first else quiet_since
            starts = np.append(inside - edges[w], np.full(SEGMENTS - len(inside), windows[w, LENGTH]))
            np.testing.assert_array_equal(windows[w, SEGMENT_TIME : SEGMENT_TIME + SEGMENTS + 1], [0.0, *starts])
            assert not windows[w, SEGMENT_KICK + 1 + len(inside) : SEGMENT_KICK + SEGMENTS].any()
            np.testing.assert_array_equal(got.window_address[base + w, 1 : 1 + len(inside)], address[first:last])
        at_tick = windows[:, AT_TICK]
        ticks = np.flatnonzero(at_tick >= 0)
        if dt:
            np.testing.assert_array_equal(at_tick[ticks], np.arange(1, len(ticks) + 1))
            np.testing.assert_array_equal(edges[1:][ticks], np.arange(1, len(ticks) + 1) * dt)
            assert len(ticks) == round((end - begin) / dt)
        else:
            assert not len(ticks)


@QUICK
@given(batches())
def test_coefficients_of_windows_are_what_a_weight_adds_at_their_end(batch):
    neuron, sample_ptr, time, address, begin, end, dt = batch
    lam = 1 / neuron.tau_syn
    got = cut(sample_ptr, time, address, begin, end, neuron, neuron.exact_constants(1.0), dt)
    for base, count in zip(got.window_base, got.window_count, strict=True):
        for w in base + np.flatnonzero(np.diff(got.window_event[base : base + count + 1])):
            part = slice(got.window_event[w], got.window_event[w + 1])
            left = got.window[w, WINDOW_END] - time[part]
            b = math.e * lam * np.exp(-lam * left)
            np.testing.assert_allclose(got.coefficient[part].T, [b * left, b], rtol=1e-12, atol=0)
            assert np.all(got.upper[part] >= got.coefficient[part, 0])
            assert np.all(got.upper[part] <= got.coefficient[part, 0] * (1 + 1e-5))
