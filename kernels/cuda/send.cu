// Sends the error of a layer's tiles down, as in kernels/cpu/send.py and to the same bits: 16 threads for every neuron of
// the layer below with active ticks in a chunk, and every group of tiles.

#define TEAM 16

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

// error_below[group, pair] = sum over the tiles group_first[group]..group_first[group + 1]-1 of W_j g(t), at the pairs of
// the active set of the layer below. n_entries: its entries, or with full support 64 for each of its blocks; near_row:
// int32[tiles below, 64], whose row of weights each lane is, or -1; g: float32[items, n_ticks, 64].
extern "C" __global__ void send_error(
    i64 n_work, i64 n_samples, i64 n_ticks, i64 n_in, i64 n_entries, i64 n_pairs, i64 below_kind,
    const i64* below_lanes, const i64* below_pair_start, const u8* below_lane, const u64* below_ticks,
    const i32* below_block, const i64* below_pair, const i32* near_row, const i64* group_first, const float* weight,
    const float* g, float* error_below)
{
    const i64 team = global_index() / TEAM, member = threadIdx.x % TEAM;
    const i64 work = team < n_work ? team : n_work - 1;  // the other team of a warp shuffles along
    const i64 group = work / n_entries, entry = work % n_entries;
    i64 block = entry / TILE, lane = entry % TILE, pair;
    u64 ticks;
    const i64 n_chunks = chunks_of(n_ticks);
    if (below_kind == ALL) {
        const i64 n = length_of(block % n_chunks, n_ticks);
        pair = below_pair_start[block] + lane * n;
        ticks = lane < below_lanes[block / n_chunks / n_samples] ? ~(u64)0 >> (CHUNK - n) : 0;
    } else {
        block = below_block[entry];
        lane = below_lane[entry];
        pair = below_pair[entry];
        ticks = below_ticks[entry];
    }
    const i64 item = block / n_chunks, sample = item % n_samples;
    const i64 row = near_row[item / n_samples * TILE + lane];
    if (row < 0 || team >= n_work)
        ticks = 0;
    const i64 first = group_first[group], last = group_first[group + 1];
    // Both teams of a warp go round as often as the busier one has ticks.
    const int n = __popcll(ticks), other = __shfl_xor_sync(EVERY_LANE, n, TEAM);
    const i64 other_first = __shfl_xor_sync(EVERY_LANE, first, TEAM), other_last = __shfl_xor_sync(EVERY_LANE, last, TEAM);
    const i64 turns = last - first > other_last - other_first ? last - first : other_last - other_first;
    for (int k = 0; k < (n > other ? n : other); k++) {
        const i64 tick = block % n_chunks * CHUNK + (ticks != 0 ? __ffsll(ticks) - 1 : 0);
        float total = 0.0f;
        for (i64 turn = 0; turn < turns; turn++) {
            const i64 tile = first + turn < last ? first + turn : last - 1;
            const float* weights = weight + (tile * n_in + (row < 0 ? 0 : row)) * TILE + member;
            const float sum = product(weights, g + ((tile * n_samples + sample) * n_ticks + tick) * TILE + member);
            if (first + turn < last)
                total = total + sum;
        }
        if (ticks != 0 && member == 0)
            error_below[group * n_pairs + pair] = total;
        ticks &= ticks - 1;
        pair++;
    }
}
