// A layer of SRM neurons on the tick clock, forward: a block for every item, one sample in one tile of 64 neurons;
// items are numbered tile * n_samples + sample. See kernels/cpu/dense.py.

template <Purpose PURPOSE, class Weight>
__device__ inline void forward(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 moving, i64 n_batch,
    const Kept& kept, float reach, const Weight* weight, const float* gain, const i64* run_base, const i64* run_count,
    const i32* run_tick, const i64* run_start, const i32* address, const float* constants, const float* decays,
    const float* drive, u64* fired)
{
    const i64 item = blockIdx.x;
    const auto own = item_of(item, n_samples, n_neurons, n_in, n_batch, weight, gain, run_base, run_count, drive);
    const i64 begin = begin_of<PURPOSE>(own, moving, n_ticks, run_tick, kept);
    sweep_item<PURPOSE>(begin, n_ticks, n_abs, n_taps, own, run_tick, run_start, address,
                        srm_constants(constants, decays, reach, n_ticks), kept, fired + item * n_ticks);
}

// The same, keeping what is active.
__device__ inline void forward_active(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 moving, i64 n_batch,
    const ChunkLists& lists, float reach, const float* weight, const float* gain,
    const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start, const i32* address,
    const float* constants, const float* decays, const float* drive, u64* fired)
{
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, constants[THETA]);
    const Kept kept = {&chunk, nullptr, 0.0f, 0.0f};
    forward<SPIKES_AND_ACTIVE>(n_samples, n_neurons, n_in, n_ticks, n_abs, n_taps, moving, n_batch, kept, reach, weight,
                               gain, run_base, run_count, run_tick, run_start, address, constants, decays, drive,
                               fired);
    chunk.close();
}

// Spikes of all items: fired[items, n_ticks], the bits of a tile's neurons that spike, zero before.
extern "C" __global__ void __launch_bounds__(WIDE_THREADS, WIDE_BLOCKS) dense_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, float reach,
    const float* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* constants, const float* decays, u64* fired)
{
    (void)n_items;
    forward<SPIKES>(n_samples, n_neurons, n_in, n_ticks, n_abs, n_taps, 0, 1, Kept(), reach, weight, gain, run_base,
                          run_count, run_tick, run_start, address, constants, decays, nullptr, fired);
}

// `dense_forward` for neurons with a constant input, and for tiles in which some lanes are no neurons; likewise for
// weights of int8 and, by their bits, of float16.
#define DRIVEN_FORWARD(NAME, WEIGHT)                                                                                   \
    extern "C" __global__ void __launch_bounds__(WIDE_THREADS, WIDE_BLOCKS) NAME(                                      \
        i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 moving,           \
        i64 n_batch, float reach, const WEIGHT* weight, const float* gain, const i64* run_base, const i64* run_count,  \
        const i32* run_tick, const i64* run_start, const i32* address, const float* constants, const float* decays,    \
        const float* drive, u64* fired)                                                                                \
    {                                                                                                                  \
        (void)n_items;                                                                                                 \
        forward<SPIKES>(n_samples, n_neurons, n_in, n_ticks, n_abs, n_taps, moving, n_batch, Kept(), reach, weight,    \
                        gain, run_base, run_count, run_tick, run_start, address, constants, decays, drive, fired);     \
    }

DRIVEN_FORWARD(driven_forward, float)
DRIVEN_FORWARD(driven_forward_int8, i8)
DRIVEN_FORWARD(driven_forward_float16, u16)

// `dense_forward` that keeps what rho is where u_low <= u < u_high, chunk by chunk; see chunks.cuh.
extern "C" __global__ void dense_forward_active(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 is_again,
    i64 entry_room, i64 pair_room, float u_low, float u_high, float rho_width, float rho_peak, float reach,
    const float* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* constants, const float* decays, u64* fired, u64* used,
    i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs, u8* is_short, u8* entry_lane,
    u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    forward_active(n_samples, n_neurons, n_in, n_ticks, n_abs, n_taps, 0, 1, lists, reach, weight, gain,
                   run_base, run_count, run_tick, run_start, address, constants, decays, nullptr, fired);
}

extern "C" __global__ void driven_forward_active(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 n_taps, i64 moving, i64 n_batch,
    i64 is_again, i64 entry_room, i64 pair_room, float u_low, float u_high, float rho_width, float rho_peak,
    float reach, const float* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* constants, const float* decays, const float* drive,
    u64* fired, u64* used, i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs, u8* is_short,
    u8* entry_lane, u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, u_low, u_high, rho_width, rho_peak, used, entry_place, pair_place,
        block_entries, block_pairs, is_short, entry_lane, entry_ticks, rho};
    forward_active(n_samples, n_neurons, n_in, n_ticks, n_abs, n_taps, moving, n_batch, lists, reach,
                   weight, gain, run_base, run_count, run_tick, run_start, address, constants, decays, drive, fired);
}
