// A layer of leaky integrate-and-fire neurons in continuous time, forward: the tile sweep of kernels/cpu/lif_sweep.py
// and lif_active.py, over windows that all tiles share. See exact.cuh for who does what.

// The input of a sample, cut into windows of steps by `cut_lif_windows` and `fill_lif_windows`.
struct LifWindows {
    const i32* address;
    const i64 *base, *count;
    const double* columns;
    const i64* first_step;
    const double* steps;
    const i64* event;
    const double* coefficient;
    const float* upper;

    __device__ LifWindow at(i64 w) const
    {
        const i64 first = first_step[w];
        return {columns + w * STEP_COLUMNS, steps + first * STEP_COLUMNS, first_step[w + 1] - first, event + first,
                address, coefficient, upper};
    }
};

// Cut every sample into windows and steps from `begin` to `end` ms, see kernels/cpu/lif_windows.py; a warp for each,
// which has a block of its own.
extern "C" __global__ void cut_lif_windows(
    i64 n_samples, double begin, double end, double longest, double longest_step, double dt, const i64* sample_ptr,
    const double* time, const double* constants, const i64* window_base, i64* window_count, double* window,
    i64* window_step, double* step, i64* step_event)
{
    (void)n_samples;
    const i64 sample = blockIdx.x, last = sample_ptr[sample + 1];
    i64 k = sample_ptr[sample], w = window_base[sample], s = w, tick = 0;
    double t = begin;
    while (t < end) {
        i64 at = -1;
        double next_tick = NO_TIME;
        if (dt > 0.0) {
            while ((double)tick * dt < t)
                tick++;
            if ((double)tick * dt == t)
                at = tick++;
            next_tick = (double)tick * dt;
        }
        if (threadIdx.x == 0) {
            window[w * STEP_COLUMNS + STEP_TICK] = (double)at;
            window_step[w] = s;
        }
        s += cut_steps(t, smaller(next_tick, end), last, longest, longest_step, time, constants,
                       step + s * STEP_COLUMNS, step_event + s, &t, &k);
        w++;
    }
    if (threadIdx.x == 0) {
        window_step[w] = s;
        window_count[sample] = w - window_base[sample];
    }
}

// What all neurons share of every window and its steps: eight threads for each that there is room for.
extern "C" __global__ void fill_lif_windows(
    i64 n_windows, i64 n_samples, const double* constants, const i64* window_base, const i64* window_count,
    const i64* window_step, const i64* step_event, double* window, double* step, double* coefficient, float* upper)
{
    const i64 w = global_index() / LIF_STEPS;
    const int member = threadIdx.x % LIF_STEPS;
    const i64 sample = w < n_windows ? sample_of(w, n_samples, window_base) : 0;
    const bool is_window = w < n_windows && w < window_base[sample] + window_count[sample];
    const i64 first = is_window ? window_step[w] : 0, n_steps = is_window ? window_step[w + 1] - first : 0;
    const FeedPeak peak = peak_of(constants);
    if (member < n_steps)
        fill_step(step + (first + member) * STEP_COLUMNS, constants, peak);
    __syncwarp();
    if (is_window)
        close_window(member, window[w * STEP_COLUMNS + STEP_TICK], n_steps, step + first * STEP_COLUMNS,
                     step_event + first, constants, peak, window + w * STEP_COLUMNS, coefficient, upper);
}

// `exact_forward` for leaky integrate-and-fire neurons.
extern "C" __global__ void lif_exact_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, const float* weight, const i32* neuron, const double* theta,
    const float* least, const i32* address, const i64* window_base, const i64* window_count, const double* window,
    const i64* window_step, const double* step, const i64* step_event, const double* coefficient, const float* upper,
    const double* constants, i64 room, const i64* spike_ptr, i64* spike_count, i64* totals, double* spike_time)
{
    (void)n_items;
    const LifWindows given = {
        address, window_base, window_count, window, window_step, step, step_event, coefficient, upper};
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    LifNeuron n(TimedNeuron(layer, {n_samples, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 sample = blockIdx.x % n_samples;
    const bool with_current = has_current(constants);
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++) {
        const LifWindow own = given.at(w);
        take_in(n, address, own.event[0], own.event[1], with_current);
        run_window(n, own, with_current, NO_TICK, constants);
    }
    n.finish(given.count[sample], spike_count, totals);
}

// `exact_forward_active` for them.
extern "C" __global__ void lif_exact_forward_active(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room, i64 pair_room,
    double dt, float u_low, float u_high, float rho_width, float rho_peak, const float* weight, const i32* neuron,
    const double* theta, const float* least, const i32* address, const i64* window_base, const i64* window_count,
    const double* window, const i64* window_step, const double* step, const i64* step_event, const double* coefficient,
    const float* upper, const double* constants, i64 room, const i64* spike_ptr, i64* spike_count, i64* totals,
    double* spike_time, u64* used, i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs,
    u8* is_short, u8* entry_lane, u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, (float)constants[EXACT_THETA]);
    const LifWindows given = {
        address, window_base, window_count, window, window_step, step, step_event, coefficient, upper};
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    LifNeuron n(TimedNeuron(layer, {n_samples, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 item = blockIdx.x, sample = item % n_samples;
    const bool with_current = has_current(constants);
    i64 next = 0;
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++) {
        const LifWindow own = given.at(w);
        take_in(n, address, own.event[0], own.event[1], with_current);
        const i64 tick = (i64)own.columns[STEP_TICK];
        if (0 <= tick && tick < n_ticks) {
            bool is_awake;
            const float now = at_tick(n, (double)tick * dt, (double)(tick - 1) * dt, constants, &is_awake);
            chunk.keep(tick, now, n.is_neuron() && is_awake);
            next = tick + 1;
        }
        run_window(n, own, with_current, (double)next * dt, constants);
    }
    chunk.close();
    n.finish(given.count[sample], spike_count, totals);
}
