// Events of a recording to spikes on the tick grid: a thread for every event, whatever a tick has of them.

// key[k], by which events go in the order (tick, address); t[k] >= 0.
extern "C" __global__ void key_events(
    i64 n_events, const i64* t, const u16* x, const u16* y, const u8* p, i64 width, i64 height, i64 step,
    i64 n_addresses, i64* key)
{
    const i64 k = global_index();
    if (k < n_events)
        key[k] = t[k] / step * n_addresses + (p[k] * height + y[k]) * width + x[k];
}

// count[k], whether event order[k] is a spike: unless repeats are kept, the first of its key.
extern "C" __global__ void mark_binned(
    i64 n_events, i64 keep_repeats, const i64* key, const i64* order, i64* count)
{
    const i64 k = global_index();
    if (k < n_events)
        count[k] = keep_repeats || k == 0 || key[order[k]] != key[order[k - 1]];
}

// The spikes, of which event order[k] is number place[k].
extern "C" __global__ void list_binned(
    i64 n_events, i64 n_addresses, const i64* key, const i64* order, const i64* place, i32* tick, i32* address)
{
    const i64 k = global_index();
    if (k >= n_events || place[k] == place[k + 1])
        return;
    const i64 own = key[order[k]];
    tick[place[k]] = (i32)(own / n_addresses);
    address[place[k]] = (i32)(own % n_addresses);
}
