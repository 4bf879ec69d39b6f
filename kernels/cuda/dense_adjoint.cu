// The adjoint of a dense layer, as in kernels/cpu/dense_adjoint.py and to the same bits: g of every tile, sample and
// tick first, then the error of the layer below (send.cu), and last the gradient of every weight (weight_gradient.cu).
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
    const Kept kept = {nullptr, own_g, rho_width, rho_peak};
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
