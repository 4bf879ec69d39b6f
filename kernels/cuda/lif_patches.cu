// A layer of leaky integrate-and-fire neurons in continuous time whose tiles have an input list each, forward: patches
// of a convolution, as in kernels/cpu/lif_patches.py and lif_active.py. See exact_patches.cu for how a block cuts its
// windows.

struct OwnSteps {
    double columns[STEP_COLUMNS], step[LIF_STEPS * STEP_COLUMNS], coefficient[2 * LIF_INNER];
    i64 event[LIF_STEPS + 1];
    float upper[LIF_INNER];
};

// Cut the window from *t on, on a tick or not (-1), whose first event after those that arrive at once is *k; all of a
// block go together. *t and *k become those of the next window.
__device__ inline LifWindow next_window(
    double limit, double tick, i64 last, double longest, double longest_step, const i32* address, const double* time,
    const double* constants, const FeedPeak& peak, OwnSteps& own, double* t, i64* k)
{
    const i64 first = *k;
    i64 taken = 0;
    const int n = cut_steps(
        *t, limit, last - first, longest, longest_step, time + first, constants, own.step, own.event, t, &taken);
    if (threadIdx.x < WARP) {
        const int member = threadIdx.x;
        __syncwarp();
        if (member < n)
            fill_step(own.step + member * STEP_COLUMNS, constants, peak);
        __syncwarp();
        if (member < LIF_STEPS)
            close_window(
                member, tick, n, own.step, own.event, constants, peak, own.columns, own.coefficient, own.upper);
    }
    __syncthreads();
    *k = first + taken;
    return {own.columns, own.step, n, own.event, address + first, own.coefficient, own.upper};
}

// Whether no potential of a tile can reach its limit before the next input; all of a block ask together.
__device__ inline bool is_at_rest(const LifNeuron& n, double most, double limit)
{
    const double bound = fma(larger(n.i, 0.0), most, larger(n.v, 0.0));
    return __syncthreads_and(!n.is_neuron() || limit >= bound);
}

// `exact_patches_forward` for leaky integrate-and-fire neurons.
extern "C" __global__ void lif_patches_forward(
    i64 n_items, i64 n_samples, i64 n_batch, i64 n_neurons, i64 n_in, double end, double longest, double longest_step,
    const float* weight, const i32* neuron, const double* theta, const float* least, const i32* address,
    const double* time, const i64* sample_ptr, const double* constants, i64 room, const i64* spike_ptr,
    i64* spike_count, i64* totals, double* spike_time)
{
    (void)n_items;
    __shared__ OwnSteps own[2];
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    LifNeuron n(TimedNeuron(layer, {n_batch, n_neurons, room, spike_ptr, spike_time}), constants);
    const bool with_current = has_current(constants);
    const FeedPeak peak = peak_of(constants);
    const double limit = n.limit(0.0, BOUND_MARGIN, constants);
    const i64 list = blockIdx.x % n_samples, last = sample_ptr[list + 1];
    i64 k = sample_ptr[list], windows = 0;
    double t = 0.0;
    while (t < end) {
        const i64 first = k;
        k = first_after(t + instant(t, constants), k, last, time);
        take_in(n, address, first, k, with_current);
        if (k == last && is_at_rest(n, peak.most, limit))
            break;
        const LifWindow window = next_window(
            end, -1.0, last, longest, longest_step, address, time, constants, peak, own[windows % 2], &t, &k);
        run_window(n, window, with_current, NO_TICK, constants);
        windows++;
    }
    n.finish(windows, spike_count, totals);
}

// `exact_patches_forward_active` for them.
extern "C" __global__ void lif_patches_forward_active(
    i64 n_items, i64 n_samples, i64 n_batch, i64 n_neurons, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room,
    i64 pair_room, double dt, double longest, double longest_step, float u_low, float u_high, float rho_width,
    float rho_peak, const float* weight, const i32* neuron, const double* theta, const float* least, const i32* address,
    const double* time, const i64* sample_ptr, const double* constants, i64 room, const i64* spike_ptr,
    i64* spike_count, i64* totals, double* spike_time, u64* used, i64* entry_place, i64* pair_place, i64* block_entries,
    i64* block_pairs, u8* is_short, u8* entry_lane, u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, (float)constants[EXACT_THETA]);
    __shared__ OwnSteps own[2];
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    LifNeuron n(TimedNeuron(layer, {n_batch, n_neurons, room, spike_ptr, spike_time}), constants);
    const bool with_current = has_current(constants);
    const FeedPeak peak = peak_of(constants);
    const double limit = n.limit(constants[EXACT_THETA] - (double)u_low, SAMPLED_MARGIN, constants);
    const double end = (double)n_ticks * dt;
    const i64 item = blockIdx.x, list = item % n_samples, last = sample_ptr[list + 1];
    i64 k = sample_ptr[list], windows = 0, tick = 0;
    double t = 0.0;
    while (t < end) {
        const i64 first = k;
        i64 at = -1;
        k = first_after(t + instant(t, constants), k, last, time);
        while ((double)tick * dt < t)
            tick++;
        if ((double)tick * dt == t)
            at = tick++;
        const double next_tick = (double)tick * dt;
        take_in(n, address, first, k, with_current);
        if (0 <= at && at < n_ticks) {
            bool is_awake;
            const float now = at_tick(n, t, (double)(at - 1) * dt, constants, &is_awake);
            chunk.keep(at, now, n.is_neuron() && is_awake);
            if ((k == last || time[k] >= next_tick) && is_at_rest(n, peak.most, limit)) {
                if (k == last)
                    break;
                const double rest = time[k] - t;
                n.v = fma(n.i, feed(rest, constants), n.v * exp(-constants[EXACT_LAM] * rest));
                n.i = n.i * exp(-constants[EXACT_MU] * rest);
                t = time[k];
                continue;
            }
        }
        const LifWindow window = next_window(
            smaller(next_tick, end), (double)at, last, longest, longest_step, address, time, constants, peak,
            own[windows % 2], &t, &k);
        run_window(n, window, with_current, next_tick, constants);
        windows++;
    }
    chunk.close();
    n.finish(windows, spike_count, totals);
}
