// A layer of SRM neurons in continuous time, forward: the tile sweep of kernels/cpu/exact.py, over windows that all
// tiles share. See exact.cuh for who does what.

// The input of a sample, cut into windows by `cut_windows` and `fill_windows`.
struct SrmWindows {
    const i32* address;
    const i64 *base, *count;
    const double* columns;
    const i64* event;
    const double* coefficient;
    const float* upper;
};

// The windows of a sample, one after the other: the weights of the next one's events are on their way from memory while
// a neuron is taken over one.
struct InTurn {
    const SrmWindows& given;
    i64 w, last, first;  // the next window, and its first event, of which it has so many
    int n_events;
    float row[MOST_EVENTS];

    __device__ InTurn(const SrmNeuron& n, const SrmWindows& windows, i64 sample)
        : given(windows), w(windows.base[sample]), last(w + windows.count[sample]), first(0), n_events(0)
    {
        look_ahead(n);
    }

    __device__ void look_ahead(const SrmNeuron& n)
    {
        if (w >= last)
            return;
        first = given.event[w];
        n_events = (int)(given.event[w + 1] - first);
        fetch_rows(n, given.address + first, n_events, row);
    }

    // Take the neuron over the next window; returns its columns, or null: there is none.
    __device__ const double* advance(SrmNeuron& n, const double* constants)
    {
        if (w >= last)
            return nullptr;
        const SrmWindow own = {
            given.columns + w * WINDOW_COLUMNS, n_events, given.coefficient + 2 * first, given.upper + first};
        float own_row[MOST_EVENTS];
        for (int k = 0; k < MOST_EVENTS; k++)
            own_row[k] = row[k];
        w++;
        look_ahead(n);
        sweep_window(n, own, own_row, constants);
        return own.columns;
    }
};

// Cut every sample into windows from `begin` to `end` ms, see kernels/cpu/windows.py; a warp for each.
extern "C" __global__ void cut_windows(
    i64 n_samples, double begin, double end, double longest, double longest_silence, double settled, double dt,
    const i64* sample_ptr, const double* time, const i64* window_base, i64* window_count, double* window,
    i64* window_event)
{
    const i64 sample = global_index() / WARP;
    if (sample >= n_samples)
        return;
    const bool writes = threadIdx.x % WARP == 0;
    const i64 last = sample_ptr[sample + 1];
    i64 k = sample_ptr[sample], w = window_base[sample], tick = 0;
    double t = begin, quiet_since = begin;
    while (t < end) {
        double next_tick = NO_TIME;
        if (dt > 0.0) {
            while ((double)tick * dt <= t)
                tick++;
            next_tick = (double)tick * dt;
        }
        const double silence = t - quiet_since < settled ? longest_silence : NO_TIME;
        i64 following;
        const double stop = next_end(t, end, k, last, longest, silence, next_tick, time, &following);
        if (writes) {
            window[w * WINDOW_COLUMNS + WINDOW_BEGIN] = t;
            window[w * WINDOW_COLUMNS + WINDOW_END] = stop;
            window[w * WINDOW_COLUMNS + AT_TICK] = stop == next_tick ? (double)tick : -1.0;
            window_event[w] = k;
        }
        if (following > k)
            quiet_since = stop;
        k = following;
        t = stop;
        w++;
    }
    if (writes) {
        window_event[w] = k;
        window_count[sample] = w - window_base[sample];
    }
}

// What all neurons share of every window: sixteen threads for each that there is room for, of which nine have work.
extern "C" __global__ void fill_windows(
    i64 n_windows, i64 n_samples, const double* time, const double* constants, const i64* window_base,
    const i64* window_count, const i64* window_event, double* window, double* coefficient, float* upper)
{
    const i64 w = global_index() / 16;
    const int segment = threadIdx.x % 16;
    if (w >= n_windows || segment > SEGMENTS)
        return;
    const i64 sample = sample_of(w, n_samples, window_base);
    if (w >= window_base[sample] + window_count[sample])
        return;
    const i64 first = window_event[w];
    double* own = window + w * WINDOW_COLUMNS;
    fill_segment(segment, own[WINDOW_BEGIN], own[WINDOW_END], window_event[w + 1] - first, time + first, constants,
                 {own, coefficient + 2 * first, upper + first});
}

// Spikes of all items over all their windows. neuron, theta, least[tiles, 64]: see `TimedLayer`; room, spike_ptr,
// spike_count[samples * n_neurons]: see `SpikeLists`; totals[3]: see `Total`, to which is added.
extern "C" __global__ void exact_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, const float* weight, const i32* neuron, const double* theta,
    const float* least, const i32* address, const i64* window_base, const i64* window_count, const double* window,
    const i64* window_event, const double* coefficient, const float* upper, const double* constants, i64 room,
    const i64* spike_ptr, i64* spike_count, i64* totals, double* spike_time)
{
    (void)n_items;
    const SrmWindows given = {address, window_base, window_count, window, window_event, coefficient, upper};
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    SrmNeuron n(TimedNeuron(layer, {n_samples, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 sample = blockIdx.x % n_samples;
    InTurn turn(n, given, sample);
    while (turn.advance(n, constants) != nullptr)
        ;
    n.finish(given.count[sample], spike_count, totals);
}

// `exact_forward` whose windows end on every tick of dt ms, and that keeps what rho is of the potentials of the ticks
// where they are active, u_low <= u < u_high, as `dense_forward_active` does. A potential has in it the response to all
// spikes up to the tick before, and a neuron is left out in the ticks of its dead time after the one in which it
// spiked.
extern "C" __global__ void exact_forward_active(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room, i64 pair_room,
    double dt, float u_low, float u_high, float rho_width, float rho_peak, const float* weight, const i32* neuron,
    const double* theta, const float* least, const i32* address, const i64* window_base, const i64* window_count,
    const double* window, const i64* window_event, const double* coefficient, const float* upper,
    const double* constants, i64 room, const i64* spike_ptr, i64* spike_count, i64* totals, double* spike_time,
    u64* used, i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs, u8* is_short, u8* entry_lane,
    u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, (float)constants[EXACT_THETA]);
    const SrmWindows given = {address, window_base, window_count, window, window_event, coefficient, upper};
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    SrmNeuron n(TimedNeuron(layer, {n_samples, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 item = blockIdx.x, sample = item % n_samples;
    const float fall = (float)exp(-constants[EXACT_MU] * dt);
    Sampled sampled = {0.0, 0.0f, 0.0f};
    if (n_ticks > 0)
        chunk.keep(0, 0.0f, n.is_neuron());
    InTurn turn(n, given, sample);
    while (const double* own = turn.advance(n, constants)) {
        const i64 tick = (i64)own[AT_TICK];
        if (tick < 0 || tick >= n_ticks)
            continue;
        bool is_awake;
        const float now = sampled.at_tick(
            n, own[WINDOW_END], (double)(tick - 1) * dt, fall, constants, &is_awake);
        chunk.keep(tick, now, n.is_neuron() && is_awake);
    }
    chunk.close();
    n.finish(given.count[sample], spike_count, totals);
}
