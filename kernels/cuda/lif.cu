// A layer of leaky integrate-and-fire neurons on the tick clock, forward; see `dense_forward` for how it is laid out
// and kernels/cpu/lif.py for the equations, whose order of every operation this keeps.

// A neuron's potential, and the current in its synapses.
struct Lif {
    float v, i;
};

// decays: float32[3, n_ticks + 1], what v and i keep in n ticks without input, and what i gives v; made on the host.
struct LifConstants {
    float decay, gain, syn_decay, syn_gain, theta, feed, reach, drop, reset;
    bool is_hard;
    const float *of_v, *of_i, *fed;
};

__device__ inline LifConstants lif_constants(const float* constants, const float* decays, i64 n_ticks)
{
    LifConstants out;
    out.decay = constants[LIF_DECAY];
    out.gain = constants[LIF_GAIN];
    out.syn_decay = constants[LIF_SYN_DECAY];
    out.syn_gain = constants[LIF_SYN_GAIN];
    out.theta = constants[THETA];
    out.feed = constants[LIF_FEED];
    out.reach = constants[LIF_REACH];
    out.drop = constants[LIF_DROP];
    out.reset = constants[LIF_RESET];
    out.is_hard = constants[LIF_HARD] > 0.0f;
    out.of_v = decays;
    out.of_i = decays + (n_ticks + 1);
    out.fed = decays + 2 * (n_ticks + 1);
    return out;
}

// The state after n ticks without input, in closed form.
__device__ __forceinline__ Lif rested(const LifConstants& c, Lif s, i64 n)
{
    return {c.of_v[n] * s.v + c.fed[n] * s.i, c.of_i[n] * s.i};
}

// Whether no potential of the tile can reach `limit` without input; all of the block's threads ask together.
__device__ __forceinline__ bool rests(const LifConstants& c, const Lif& s, float limit)
{
    const float bound = positive(s.v) + positive(s.i) * c.reach;
    return __syncthreads_and(bound >= bound && !(bound >= limit));
}

// `sweep_item` of these neurons.
template <Purpose PURPOSE, class Weight>
__device__ inline void sweep_lif(
    i64 t, i64 n_ticks, i64 n_abs, ItemOf<Weight> item, const i32* run_tick, const i64* run_start, const i32* address,
    const LifConstants& c, bool moving, const Kept& kept, u64* fired)
{
    const float limit = c.theta * MARGIN, base = driven(item, BASE), each_tick = driven(item, EACH_TICK);
    const bool may_rest = c.theta > 0.0f && !moving;
    Lif s = {0.0f, 0.0f}, left = s;
    i64 ready = 0, landing = -1, leap = 0, known = item.run;
    i64 next = item.run < item.run_end ? run_tick[item.run] : n_ticks;
    while (t < n_ticks) {
        if (PURPOSE != SPIKES && t == landing)
            s = rested(c, left, leap);
        float given = each_tick;
        if (t == next) {
            given = item.gain * sum_of_run<PURPOSE>(item.run, &known, item, run_start, address) + each_tick;
            item.run++;
            next = item.run < item.run_end ? run_tick[item.run] : n_ticks;
        }
        s.v = c.decay * s.v + c.feed * s.i + c.gain * given;
        s.i = c.syn_decay * s.i + c.syn_gain * given;
        const float u = s.v + base;
        const bool may_fire = item.is_neuron && t >= ready, fires = may_fire && u >= c.theta;
        keep<PURPOSE>(kept, t, u, c.theta, may_fire, t >= ready);
        if (PURPOSE != RHO)
            write_bits(fired, t, fires && is_speaker<PURPOSE>());
        if (fires) {
            ready = t + n_abs;
            s.v = c.is_hard ? c.reset : s.v - c.drop;
        }
        t++;
        if (may_rest && next - t >= GAP && (PURPOSE == SPIKES || t > landing) && rests(c, s, limit)) {
            if (PURPOSE == RHO || (PURPOSE == SPIKES_AND_ACTIVE && !rests(c, s, lowered(kept.low())))) {
                landing = next;
                leap = next - t;
                left = s;
            } else {
                if (next < n_ticks)
                    s = rested(c, s, next - t);
                t = next;
            }
        }
    }
}

template <Purpose PURPOSE, class Weight>
__device__ inline void lif(
    i64 item, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 moving, i64 n_batch, const Kept& kept,
    const Weight* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* constants, const float* decays, const float* drive,
    u64* fired)
{
    const auto own = item_of(item, n_samples, n_neurons, n_in, n_batch, weight, gain, run_base, run_count, drive);
    const i64 begin = begin_of<PURPOSE>(own, moving, n_ticks, run_tick, kept);
    sweep_lif<PURPOSE>(begin, n_ticks, n_abs, own, run_tick, run_start, address,
                       lif_constants(constants, decays, n_ticks), moving, kept,
                       PURPOSE == RHO ? nullptr : fired + item * n_ticks);
}

// Spikes of all items, see `driven_forward`.
#define LIF_FORWARD(NAME, WEIGHT)                                                                                      \
    extern "C" __global__ void __launch_bounds__(WIDE_THREADS, WIDE_BLOCKS) NAME(                                      \
        i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 moving, i64 n_batch,          \
        const WEIGHT* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,       \
        const i64* run_start, const i32* address, const float* constants, const float* decays, const float* drive,     \
        u64* fired)                                                                                                    \
    {                                                                                                                  \
        (void)n_items;                                                                                                 \
        lif<SPIKES>(blockIdx.x, n_samples, n_neurons, n_in, n_ticks, n_abs, moving, n_batch, Kept(), weight, gain,     \
                    run_base, run_count, run_tick, run_start, address, constants, decays, drive, fired);               \
    }

LIF_FORWARD(lif_forward, float)
LIF_FORWARD(lif_forward_int8, i8)
LIF_FORWARD(lif_forward_float16, u16)

// The same, keeping what is active, see `dense_forward_active`.
extern "C" __global__ void lif_forward_active(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 moving, i64 n_batch, i64 is_again,
    i64 entry_room, i64 pair_room, float u_low, float u_high, float rho_width, float rho_peak, const float* weight,
    const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start,
    const i32* address, const float* constants, const float* decays, const float* drive, u64* fired, u64* used,
    i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs, u8* is_short, u8* entry_lane,
    u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, constants[THETA]);
    const Kept kept = {&chunk, nullptr, 0.0f, 0.0f};
    lif<SPIKES_AND_ACTIVE>(blockIdx.x, n_samples, n_neurons, n_in, n_ticks, n_abs, moving, n_batch, kept, weight, gain,
                           run_base, run_count, run_tick, run_start, address, constants, decays, drive, fired);
    chunk.close();
}

// g[held items, n_ticks, 64] = rho of every potential, see `recompute_rho`.
extern "C" __global__ void replay_lif(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 moving, i64 n_batch,
    i64 sample_first, i64 sample_last, float rho_width, float rho_peak, const float* weight, const float* gain,
    const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start, const i32* address,
    const float* constants, const float* decays, const float* drive, float* g)
{
    (void)n_items;
    float* own_g = g + (i64)blockIdx.x * n_ticks * TILE;
    const Kept kept = {nullptr, own_g, rho_width, rho_peak};
    lif<RHO>(held_item(blockIdx.x, n_batch, sample_first, sample_last), n_samples, n_neurons, n_in, n_ticks, n_abs,
             moving, n_batch, kept, weight, gain, run_base, run_count, run_tick, run_start, address, constants, decays,
             drive, nullptr);
}
