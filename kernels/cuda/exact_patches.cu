// A layer of SRM neurons in continuous time whose tiles have an input list each, forward: the patches of a convolution,
// as in kernels/cpu/exact_patches.py and exact_active.py. A block cuts the windows of its list as it comes to them; its
// first threads fill one while the others wait, and those still at work in the one before have a room of their own.

struct OwnWindow {
    double columns[WINDOW_COLUMNS], coefficient[2 * MOST_EVENTS];
    float upper[MOST_EVENTS];
};

// The spikes of a list from the next one on.
struct Ahead {
    const i32* address;
    const double* time;
    i64 k, last;
};

// Take a neuron over the window from t to `stop`, which has the events up to `following`; all of a block go together.
__device__ inline void run_window(
    SrmNeuron& n, double t, double stop, const Ahead& ahead, i64 following, const double* constants, OwnWindow& own)
{
    const i32* address = ahead.address + ahead.k;
    const int events = (int)(following - ahead.k);
    float row[MOST_EVENTS];
    fetch_rows(n, address, events, row);
    if (threadIdx.x <= SEGMENTS)
        fill_segment(threadIdx.x, t, stop, events, ahead.time + ahead.k, constants,
                     {own.columns, own.coefficient, own.upper});
    __syncthreads();
    sweep_window(n, {own.columns, events, own.coefficient, own.upper}, row, constants);
}

// Whether no potential of a tile can reach its limit before the next input; all of a block ask together.
__device__ inline bool is_at_rest(const SrmNeuron& n, double limit, const double* constants)
{
    const double bound = fma(larger(n.b, 0.0), 1.0 / (EULER * constants[EXACT_LAM]), larger(n.a, 0.0));
    return __syncthreads_and(!n.is_neuron() || limit >= bound);
}

// Take the state of a neuron at rest so many ms on.
__device__ inline void rest_for(SrmNeuron& n, double length, const double* constants)
{
    const double fall = exp(-constants[EXACT_LAM] * length), fall_ref = exp(-constants[EXACT_MU] * length);
    n.a = fma(n.b, length, n.a) * fall;
    n.b = n.b * fall;
    step_response(n.response, length, fall_ref);
}

// `exact_forward` for lists sample_ptr[lists + 1] of rows and their times, up to `end` ms. n_samples: lists, of which
// as many as n_batch at a time have the neurons of a row of neuron, theta and least.
extern "C" __global__ void exact_patches_forward(
    i64 n_items, i64 n_samples, i64 n_batch, i64 n_neurons, i64 n_in, double end, double longest,
    double longest_silence, const float* weight, const i32* neuron, const double* theta, const float* least,
    const i32* address, const double* time, const i64* sample_ptr, const double* constants, i64 room,
    const i64* spike_ptr, i64* spike_count, i64* totals, double* spike_time)
{
    (void)n_items;
    __shared__ OwnWindow own[2];
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    SrmNeuron n(TimedNeuron(layer, {n_batch, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 list = blockIdx.x % n_samples;
    const double limit = n.limit(0.0, BOUND_MARGIN, constants);
    Ahead ahead = {address, time, sample_ptr[list], sample_ptr[list + 1]};
    double t = 0.0;
    i64 windows = 0;
    while (t < end) {
        const bool is_last = ahead.k == ahead.last;
        if ((is_last || time[ahead.k] - t > longest_silence) && is_at_rest(n, limit, constants)) {
            if (is_last)
                break;
            rest_for(n, time[ahead.k] - t, constants);
            t = time[ahead.k];
        }
        i64 following;
        const double stop = next_end(
            t, end, ahead.k, ahead.last, longest, longest_silence, NO_TIME, time, &following);
        run_window(n, t, stop, ahead, following, constants, own[windows % 2]);
        t = stop;
        ahead.k = following;
        windows++;
    }
    n.finish(windows, spike_count, totals);
}

// `exact_patches_forward` that keeps what is active, see `exact_forward_active`. From a tick on a tile is at rest where
// no potential can become active before the next input.
extern "C" __global__ void exact_patches_forward_active(
    i64 n_items, i64 n_samples, i64 n_batch, i64 n_neurons, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room,
    i64 pair_room, double dt, double longest, double longest_silence, float u_low, float u_high, float rho_width,
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
    __shared__ OwnWindow own[2];
    const TimedLayer layer = {n_samples, n_in, weight, neuron, theta, least};
    SrmNeuron n(TimedNeuron(layer, {n_batch, n_neurons, room, spike_ptr, spike_time}), constants);
    const i64 item = blockIdx.x, list = item % n_samples;
    const double limit = n.limit(constants[EXACT_THETA] - (double)u_low, SAMPLED_MARGIN, constants);
    const double end = (double)n_ticks * dt;
    const float a_tick = (float)exp(-constants[EXACT_MU] * dt);
    Ahead ahead = {address, time, sample_ptr[list], sample_ptr[list + 1]};
    Sampled sampled = {0.0, 0.0f, 0.0f};
    if (n_ticks > 0)
        chunk.keep(0, 0.0f, n.is_neuron());
    double t = 0.0;
    i64 tick = 0, windows = 0;
    while (t < end) {
        const bool is_on_tick = t == (double)tick * dt, is_last = ahead.k == ahead.last;
        while ((double)tick * dt <= t)
            tick++;
        const double next_tick = (double)tick * dt;
        if (is_on_tick && (is_last || time[ahead.k] >= next_tick) && is_at_rest(n, limit, constants)) {
            if (is_last)
                break;
            rest_for(n, time[ahead.k] - t, constants);
            t = time[ahead.k];
            continue;
        }
        i64 following;
        const double stop = next_end(
            t, end, ahead.k, ahead.last, longest, longest_silence, next_tick, time, &following);
        run_window(n, t, stop, ahead, following, constants, own[windows % 2]);
        t = stop;
        ahead.k = following;
        windows++;
        if (stop != next_tick || tick >= n_ticks)
            continue;
        const double since = (double)(tick - 1) * dt;
        const float fall = sampled.at == since ? a_tick : (float)exp(-constants[EXACT_MU] * (t - sampled.at));
        bool is_awake;
        const float now = sampled.at_tick(n, t, since, fall, constants, &is_awake);
        chunk.keep(tick, now, n.is_neuron() && is_awake);
    }
    chunk.close();
    n.finish(windows, spike_count, totals);
}
