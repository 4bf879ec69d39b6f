// Sends the error of a layer's tiles down, as in kernels/cpu/send.py and to the same bits: 16 threads for every neuron
// of the layer below with active ticks in a chunk, and every group of tiles; for the samples
// sample_first..sample_last-1, of which g is held.

#define TEAM 16

// The active set of the layer below, by entry: with full support an entry for each lane of its blocks.
struct Below {
    i64 kind;
    const i64 *lanes, *pair_start;
    const u8* lane;
    const u64* ticks;
    const i32* block;
    const i64* pair;
};

// The entries of some samples: as many as range_start says of each of n_ranges, from range_first on.
struct Ranges {
    i64 n;
    const i64 *start, *first;
};

// The entry of number k among them.
__device__ inline i64 entry_in(const Ranges& ranges, i64 k)
{
    const i64 range = sample_of(k, ranges.n, ranges.start);
    return ranges.first[range] + k - ranges.start[range];
}

// An entry: where it stands, its first pair, and its active ticks.
struct Entry {
    i64 tile, sample, chunk, lane, pair;
    u64 ticks;
};

__device__ inline Entry entry_of(const Below& below, i64 entry, i64 n_samples, i64 n_ticks)
{
    const i64 n_chunks = chunks_of(n_ticks), block = below.kind == ALL ? entry / TILE : below.block[entry];
    const i64 item = block / n_chunks;
    Entry own;
    own.tile = item / n_samples;
    own.sample = item % n_samples;
    own.chunk = block % n_chunks;
    if (below.kind == ALL) {
        const i64 n = length_of(own.chunk, n_ticks);
        own.lane = entry % TILE;
        own.pair = below.pair_start[block] + own.lane * n;
        own.ticks = own.lane < below.lanes[own.tile] ? ~(u64)0 >> (CHUNK - n) : 0;
    } else {
        own.lane = below.lane[entry];
        own.pair = below.pair[entry];
        own.ticks = below.ticks[entry];
    }
    return own;
}

// The product of two rows of 64, each thread of a team with every sixteenth number: quarters by fused operations, then
// halves of halves. Adding what the other half has is the same for both, so that all threads have the sum.
__device__ inline float product(const float* a, const float* b)
{
    float sum = a[0] * b[0];
    for (int quarter = 1; quarter < TILE / TEAM; quarter++)
        sum = fmaf(a[quarter * TEAM], b[quarter * TEAM], sum);
    sum = sum + __shfl_xor_sync(EVERY_LANE, sum, 8);
    sum = sum + __shfl_xor_sync(EVERY_LANE, sum, 4);
    sum = sum + __shfl_xor_sync(EVERY_LANE, sum, 1);
    return sum + __shfl_xor_sync(EVERY_LANE, sum, 2);
}

// The larger of what both teams of a warp have, so that both go round as often: they shuffle together.
__device__ inline i64 of_busier(i64 n)
{
    const i64 other = __shfl_xor_sync(EVERY_LANE, n, TEAM);
    return n > other ? n : other;
}

// error_below[group, pair] = sum over the tiles group_first[group]..group_first[group + 1]-1 of W_j g(t), at the pairs
// of the active set of the layer below. n_entries: its entries of the samples that are held, which `Ranges` find, or
// with full support 64 for each of its blocks; near_row: int32[tiles below, 64], whose row of weights each lane is, or
// -1; g: float32[held items, n_ticks, 64].
extern "C" __global__ void send_error(
    i64 n_work, i64 n_samples, i64 n_ticks, i64 sample_first, i64 sample_last, i64 n_in, i64 n_entries, i64 n_pairs,
    i64 n_ranges, const i64* range_start, const i64* range_first, i64 below_kind, const i64* below_lanes,
    const i64* below_pair_start, const u8* below_lane, const u64* below_ticks, const i32* below_block,
    const i64* below_pair, const i32* near_row, const i64* group_first, const float* weight, const float* g,
    float* error_below)
{
    const i64 team = global_index() / TEAM, member = threadIdx.x % TEAM;
    const i64 work = team < n_work ? team : n_work - 1, group = work / n_entries;  // a last team shuffles along
    const Below below = {
        below_kind, below_lanes, below_pair_start, below_lane, below_ticks, below_block, below_pair};
    const Ranges ranges = {n_ranges, range_start, range_first};
    Entry own = entry_of(below, entry_in(ranges, work % n_entries), n_samples, n_ticks);
    const i64 n_held = sample_last - sample_first, held = own.sample - sample_first;
    const i64 row = near_row[own.tile * TILE + own.lane];
    if (row < 0 || team >= n_work)
        own.ticks = 0;
    const i64 first = group_first[group], last = group_first[group + 1], turns = of_busier(last - first);
    for (i64 k = of_busier(__popcll(own.ticks)); k > 0; k--) {
        const i64 tick = own.chunk * CHUNK + (own.ticks != 0 ? __ffsll(own.ticks) - 1 : 0);
        float total = 0.0f;
        for (i64 turn = 0; turn < turns; turn++) {
            const i64 tile = first + turn < last ? first + turn : last - 1;
            const float* weights = weight + (tile * n_in + (row < 0 ? 0 : row)) * TILE + member;
            const float sum = product(weights, g + ((tile * n_held + held) * n_ticks + tick) * TILE + member);
            if (first + turn < last)
                total = total + sum;
        }
        if (own.ticks != 0 && member == 0)
            error_below[group * n_pairs + own.pair] = total;
        own.ticks &= own.ticks - 1;
        own.pair++;
    }
}

// `send_error` of a convolution, in one group: the sum over the patches that see a neuron, for each tile of channels.
// near_row: int32[tiles below, 64], the address of each lane behind the stages, or -1; reach_ptr, reach_patch,
// reach_row: the patches that see a pixel, and its row there in the first of the channels, which have rows_a_channel
// rows each.
extern "C" __global__ void send_patch_error(
    i64 n_entries, i64 n_samples, i64 n_ticks, i64 sample_first, i64 sample_last, i64 n_in, i64 n_patches,
    i64 channel_tiles, i64 n_pixels, i64 rows_a_channel, i64 n_ranges, const i64* range_start,
    const i64* range_first, i64 below_kind, const i64* below_lanes, const i64* below_pair_start, const u8* below_lane,
    const u64* below_ticks, const i32* below_block, const i64* below_pair, const i32* near_row, const i64* reach_ptr,
    const i32* reach_patch, const i32* reach_row, const float* weight, const float* g, float* error_below)
{
    const i64 team = global_index() / TEAM, member = threadIdx.x % TEAM;
    const Below below = {
        below_kind, below_lanes, below_pair_start, below_lane, below_ticks, below_block, below_pair};
    const Ranges ranges = {n_ranges, range_start, range_first};
    Entry own = entry_of(below, entry_in(ranges, team < n_entries ? team : n_entries - 1), n_samples, n_ticks);
    const i64 n_held = sample_last - sample_first, held = own.sample - sample_first;
    const i64 address = near_row[own.tile * TILE + own.lane];
    const i64 pixel = address < 0 ? 0 : address % n_pixels, channel = address < 0 ? 0 : address / n_pixels;
    const i64 first = reach_ptr[pixel], n = address < 0 ? 0 : reach_ptr[pixel + 1] - first;
    if (n == 0 || team >= n_entries)
        own.ticks = 0;
    const i64 turns = of_busier(n);
    for (i64 k = of_busier(__popcll(own.ticks)); k > 0; k--) {
        const i64 tick = own.chunk * CHUNK + (own.ticks != 0 ? __ffsll(own.ticks) - 1 : 0);
        float total = 0.0f;
        for (i64 channel_tile = 0; channel_tile < channel_tiles; channel_tile++)
            for (i64 turn = 0; turn < turns; turn++) {
                const i64 near = first + (turn < n ? turn : 0);
                const i64 patch = turn < n ? reach_patch[near] : 0;
                const i64 row = turn < n ? channel * rows_a_channel + reach_row[near] : 0;
                const i64 item = (channel_tile * n_patches + patch) * n_held + held;
                const float* weights = weight + (channel_tile * n_in + row) * TILE + member;
                const float sum = product(weights, g + (item * n_ticks + tick) * TILE + member);
                if (turn < n)
                    total = total + sum;
            }
        if (own.ticks != 0 && member == 0)
            error_below[own.pair] = total;
        own.ticks &= own.ticks - 1;
        own.pair++;
    }
}
