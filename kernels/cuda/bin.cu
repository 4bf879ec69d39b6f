// Events of a recording to spikes on the tick grid: a thread for every tick.

// sorted[begin..begin+count-1] are the addresses of every tick, ascending and without repeats unless they are kept.
extern "C" __global__ void bin_events(
    i64 n_events, const i64* t, const u16* x, const u16* y, const u8* p, i64 width, i64 height, i64 step, i64 n_ticks,
    i64 keep_repeats, i32* sorted, i64* begin, i64* count)
{
    const i64 tick = global_index();
    if (tick >= n_ticks)
        return;
    const i64 first = first_from(t, 0, n_events, tick * step), last = first_from(t, 0, n_events, (tick + 1) * step);
    for (i64 i = first; i < last; i++)
        sorted[i] = (i32)((p[i] * height + y[i]) * width + x[i]);
    sort(sorted + first, last - first);
    i64 end = first;
    for (i64 i = first; i < last; i++)
        if (keep_repeats || i == first || sorted[i] != sorted[end - 1])
            sorted[end++] = sorted[i];
    begin[tick] = first;
    count[tick] = end - first;
}

// The spikes of all ticks, one tick behind the other.
extern "C" __global__ void list_binned(
    i64 n_ticks, const i32* sorted, const i64* begin, const i64* tick_ptr, i32* tick, i32* address)
{
    const i64 now = global_index();
    if (now >= n_ticks)
        return;
    for (i64 k = tick_ptr[now]; k < tick_ptr[now + 1]; k++) {
        tick[k] = (i32)now;
        address[k] = sorted[begin[now] + k - tick_ptr[now]];
    }
}
