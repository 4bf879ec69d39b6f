// The adjoint of a dense layer, as in kernels/cpu/dense_adjoint.py and to the same bits: g of every tile, sample and
// tick first, then the error of the layer below (send.cu), and last the gradient of every weight, which has a thread.
// All of it for the samples sample_first..sample_last-1 at a time, since g has a number for every neuron and tick of
// them; "held" items are theirs.

// g[held items, n_ticks, 64] = rho of every potential, by running the layer once more.
extern "C" __global__ void recompute_rho(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 n_batch,
    i64 sample_first, i64 sample_last, float rho_width, float rho_peak, float reach, const float* weight,
    const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start,
    const i32* address, const float* constants, const float* decays, const float* drive, float* g)
{
    (void)n_items;
    const i64 item = held_item(blockIdx.x, n_batch, sample_first, sample_last);
    const Item own = item_of(item, n_samples, n_neurons, n_in, n_batch, weight, gain, run_base, run_count, drive);
    float* own_g = g + (i64)blockIdx.x * n_ticks * TILE;
    const Kept kept = {0.0f, 0.0f, nullptr, own_g, rho_width, rho_peak};
    sweep_item<RHO>(0, n_ticks, n_abs, n_taps, own, run_tick, run_start, address,
                    srm_constants(constants, decays, reach, n_ticks), kept, nullptr);
}

// The error of a pair: what the groups of tiles above sent, in their order.
__device__ inline float summed(const float* error, i64 n_groups, i64 n_pairs, i64 pair)
{
    float e = error[pair];
    for (i64 group = 1; group < n_groups; group++)
        e = e + error[group * n_pairs + pair];
    return e;
}

// A psp's two-state system, backward in time.
struct PspBackward {
    float alpha, gain, cut_p, cut_q, p, q;

    __device__ float step(float driven, bool)
    {
        q = alpha * (q + p);
        p = alpha * p + gain * driven;
        return q;
    }

    // Take off what drove it so long before that a truncated psp has ended.
    __device__ void end(float driven)
    {
        p = p - cut_p * driven;
        q = q - cut_q * driven;
    }

    // What g is made of between this tick and the one before.
    __device__ float ramp() const { return p; }
};

// A leaky integrate-and-fire neuron, backward in time: dL/dv and dL/di; a hard reset makes it forget what it had.
struct LifBackward {
    float decay, feed, gain, syn_decay, syn_gain, length, of_v, of_i;

    __device__ float step(float driven, bool is_reset)
    {
        of_i = syn_decay * of_i + feed * of_v;
        of_v = (is_reset ? 0.0f : decay * of_v) + driven;
        return gain * of_v + syn_gain * of_i;
    }

    __device__ void end(float) {}

    // What an input ahead of the tick does through a current until then.
    __device__ float ramp() const { return length * of_v; }
};

// g[held item, n_ticks, 64] of a system that rho e drives at the active pairs; with full support g holds rho before.
// fired: bits of the spikes that reset the neurons of all items, or null; ramp[held item, n_ticks, 64]: what inputs
// between ticks count besides, or null; kept, of the same shape: what drove a system whose psp has n_taps, or null.
template <class Backward>
__device__ inline void run_backward(
    Backward system, const ActiveSet& set, i64 n_samples, i64 n_ticks, i64 sample_first, i64 sample_last, i64 n_groups,
    i64 n_pairs, i64 n_taps, const u64* fired, const float* rho, const float* error, float* g, float* ramp, float* kept)
{
    const i64 held = blockIdx.x, item = held_item(held, n_samples, sample_first, sample_last);
    const i64 n_chunks = chunks_of(n_ticks);
    for (i64 chunk = n_chunks - 1; chunk >= 0; chunk--) {
        const i64 n = length_of(chunk, n_ticks);
        const i64 block = item * n_chunks + chunk, first = set.pair_start[block];
        i64 pair;
        const u64 ticks = own_ticks(set, block, item / n_samples, n, &pair);
        const i64 at = (held * n_ticks + chunk * CHUNK) * TILE + threadIdx.x;
        float* own = g + at;
        // What drives the system is fetched before it is run, or all of a warp would wait for one pair after the other.
        const Pairs pairs = pairs_of(ticks);
        for (int k = threadIdx.x; k < pairs.n; k += TILE) {
            int lane, tick;
            pairs.find(k, &lane, &tick);
            const float e = summed(error, n_groups, n_pairs, first + k);
            *in_chunk(tick, lane) = set.kind == ALL ? e : rho[first + k] * e;
        }
        __syncthreads();
        if (set.kind == ALL && ticks != 0)
            for (i64 k = 0; k < n; k++)
                *in_chunk(k, threadIdx.x) = own[k * TILE] * *in_chunk(k, threadIdx.x);
        for (i64 k = n - 1; k >= 0; k--) {
            const float driven = ticks >> k & 1 ? *in_chunk(k, threadIdx.x) : 0.0f;
            const bool is_reset = fired != nullptr && fired[item * n_ticks + chunk * CHUNK + k] >> threadIdx.x & 1;
            own[k * TILE] = system.step(driven, is_reset);
            if (ramp != nullptr)
                ramp[at + k * TILE] = system.ramp();
            if (kept != nullptr) {
                kept[at + k * TILE] = driven;
                if (chunk * CHUNK + k + n_taps - 1 < n_ticks)
                    system.end(kept[at + (k + n_taps - 1) * TILE]);
            }
        }
    }
}

// g[held items, n_ticks, 64] = dt sum of eps(t' - t) rho e over the active pairs; with full support g holds rho before.
// On the exact clock, is_timed, also ramp, of the same shape; a truncated psp, n_taps > 0, takes kept, another one: see
// `adjoint_psp` in kernels/cpu/dense_adjoint.py.
extern "C" __global__ void adjoint_psp(
    i64 n_items, i64 n_samples, i64 n_ticks, i64 sample_first, i64 sample_last, i64 n_groups, i64 n_pairs, i64 n_taps,
    float dt, const float* constants, i64 kind, const i64* lanes, const i64* entry_start, const i64* pair_start,
    const u8* entry_lane, const u64* entry_ticks, const i64* entry_pair, const float* rho, const float* error,
    i64 is_timed, float* g, float* ramp, float* kept)
{
    (void)n_items;
    const ActiveSet set = {kind, lanes, entry_start, pair_start, entry_lane, entry_ticks, entry_pair};
    const PspBackward system = {
        constants[ALPHA_SYN], constants[GAIN_SYN] * dt, constants[CUT_P] * dt, constants[CUT_Q] * dt, 0.0f, 0.0f};
    run_backward(system, set, n_samples, n_ticks, sample_first, sample_last, n_groups, n_pairs, n_taps, nullptr, rho,
                 error, g, is_timed ? ramp : nullptr, n_taps > 0 ? kept : nullptr);
}

// The same of leaky integrate-and-fire neurons: g = dt dL/d(input of a tick). fired[items, n_ticks]: their spikes, read
// where these reset them for good.
extern "C" __global__ void adjoint_lif(
    i64 n_items, i64 n_samples, i64 n_ticks, i64 sample_first, i64 sample_last, i64 n_groups, i64 n_pairs, float dt,
    const float* constants, i64 kind, const i64* lanes, const i64* entry_start, const i64* pair_start,
    const u8* entry_lane, const u64* entry_ticks, const i64* entry_pair, const float* rho, const float* error,
    const u64* fired, i64 is_timed, float* g, float* ramp)
{
    (void)n_items;
    const ActiveSet set = {kind, lanes, entry_start, pair_start, entry_lane, entry_ticks, entry_pair};
    const LifBackward system = {
        constants[LIF_DECAY], constants[LIF_FEED], constants[LIF_GAIN] * dt, constants[LIF_SYN_DECAY],
        constants[LIF_SYN_GAIN] * dt, dt, 0.0f, 0.0f};
    const u64* resets = constants[LIF_HARD] > 0.0f ? fired : nullptr;
    run_backward(system, set, n_samples, n_ticks, sample_first, sample_last, n_groups, n_pairs, 0, resets, rho, error,
                 g, is_timed ? ramp : nullptr, nullptr);
}

// The sum of so many rows of 64, for one of their columns, one after the other.
__device__ inline float sum_down(const float* column, i64 n)
{
    float total = 0.0f;
    for (i64 t = 0; t < n; t++)
        total = total + column[t * TILE];
    return total;
}

// Add g over time to g_sum[groups, tiles, 64], summed over the samples group_first[group]..group_first[group + 1]-1 as
// far as they are held; a block for each of the sums. On the exact clock, is_timed, the integral of what g and ramp
// count between ticks: integral[2] is that over a tick.
extern "C" __global__ void sum_over_time(
    i64 n_sums, i64 n_tiles, i64 sample_first, i64 sample_last, i64 n_ticks, i64 is_timed, const i64* group_first,
    const float* integral, const float* g, const float* ramp, float* g_sum)
{
    (void)n_sums;
    const i64 group = blockIdx.x / n_tiles, tile = blockIdx.x % n_tiles, n_held = sample_last - sample_first;
    const i64 first = group_first[group] > sample_first ? group_first[group] : sample_first;
    const i64 last = group_first[group + 1] < sample_last ? group_first[group + 1] : sample_last;
    if (first >= last)
        return;
    float* sum = g_sum + (i64)blockIdx.x * TILE + threadIdx.x;
    float total = *sum;
    for (i64 sample = first; sample < last; sample++) {
        const i64 own = (tile * n_held + sample - sample_first) * n_ticks * TILE + threadIdx.x;
        if (is_timed && n_ticks > 0)
            total = total
                + (integral[0] * sum_down(g + own + TILE, n_ticks - 1)
                   + integral[1] * sum_down(ramp + own + TILE, n_ticks - 1));
        else
            total = total + sum_down(g + own, n_ticks);
    }
    *sum = total;
}

// Sum up the gradient of weight row `tile * n_in + j` over the spikes of neuron j, block of samples by block. What the
// blocks come to is added to gradient; an optimiser takes a step by that at once, when is_last. Of the blocks that the
// CPU sums up by themselves the lists piece_first..piece_last-1 are held: goes_on and stays_open say of the first and
// the last of them whether they are parts of a block, whose sum so far is in `open`. row: where the g of every spike
// stands in that of a tile, which has held_ticks of them, see `group_by_address`; on the exact clock, is_timed, spikes
// count share[spikes, 2] of g and ramp there, see `group_times_by_address`, whose sum is added at once where they are those
// of patches.
extern "C" __global__ void update_weights(
    i64 n_rows, i64 n_in, i64 piece_first, i64 piece_last, i64 held_ticks, i64 goes_on, i64 stays_open, i64 is_first,
    i64 is_last, i64 rule, i64 is_timed, i64 is_patched, const float* settings, const i64* neuron_ptr, const i32* row,
    const float* share, const float* g, const float* ramp, float* open, float* weight, float* gradient, float* mean,
    float* square)
{
    const i64 own = global_index() / TILE, lane = threadIdx.x % TILE;
    if (own >= n_rows)
        return;
    const i64 ticks = own / n_in * held_ticks * TILE + lane, at = own * TILE + lane;
    float total = rule != ADD && is_first ? 0.0f : gradient[at], change = goes_on ? open[at] : 0.0f;
    for (i64 piece = piece_first; piece < piece_last; piece++) {
        const i64 list = piece * n_in + own % n_in;
        const i64 first = neuron_ptr[list], last = neuron_ptr[list + 1];
        if (is_timed)
            for (i64 k = first; k < last; k++) {
                const i64 place = ticks + (i64)row[k] * TILE;
                const float of_g = share[2 * k] * g[place], of_ramp = share[2 * k + 1] * ramp[place];
                change = is_patched ? change + (of_g + of_ramp) : (change + of_g) + of_ramp;
            }
        else
            for (i64 k = first; k < last; k++)
                change = change + g[ticks + (i64)row[k] * TILE];
        if (piece + 1 < piece_last || !stays_open) {
            total = total + change;
            change = 0.0f;
        }
    }
    if (stays_open)
        open[at] = change;
    if (rule == ADD || !is_last)
        gradient[at] = total;
    else if (rule == ADAM)
        adam(total, settings, &weight[at], &mean[at], &square[at]);
    else if (rule == SGD)
        sgd(total, settings, &weight[at], &mean[at]);
}
