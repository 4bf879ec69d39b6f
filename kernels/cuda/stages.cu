// What stages between layers do to spike lists on the way forward, and to errors on the way back; see
// kernels/cpu/stages.py.

// count[k] = 1 for every spike that stays, else 0.
extern "C" __global__ void count_routed(
    i64 n_spikes, i64 n_samples, i64 n_neurons, i64 is_masked, const i64* sample_ptr, const i32* address,
    const i32* table, const u8* kept, i64* count)
{
    const i64 k = global_index();
    if (k < n_spikes)
        count[k] = routed(k, n_samples, n_neurons, is_masked, sample_ptr, address, table, kept) >= 0;
}

// The spikes that stay, of which new_ptr[k] are before spike k.
extern "C" __global__ void route_spikes(
    i64 n_spikes, i64 n_samples, i64 n_neurons, i64 is_masked, const i64* sample_ptr, const i32* address,
    const i32* tick, const i32* table, const u8* kept, const i64* new_ptr, i32* new_address, i32* new_tick)
{
    const i64 k = global_index();
    if (k >= n_spikes || new_ptr[k] == new_ptr[k + 1])
        return;
    new_address[new_ptr[k]] = (i32)routed(k, n_samples, n_neurons, is_masked, sample_ptr, address, table, kept);
    new_tick[new_ptr[k]] = tick[k];
}

// taken[i] = values[index[i]].
extern "C" __global__ void take(i64 n, const i64* index, const i64* values, i64* taken)
{
    const i64 i = global_index();
    if (i < n)
        taken[i] = values[index[i]];
}

// Add shift[c] + slope[c] n to the error of the first group at a layer's pairs, by channel c and the spikes n of its
// address in that tick; a block for each block of the active set. lane_address[tiles, 64]: the address of every lane
// behind the stages, or -1; table, count: of the groups of spikes by address, see groups.cuh.
extern "C" __global__ void normalise_error(
    i64 n_blocks, i64 n_samples, i64 n_ticks, i64 n_positions, i64 n_spikes, i64 n_keys, const i64* tick_ptr,
    const i32* address, const u64* table, const i64* count, const float* shift, const float* slope, i64 kind,
    const i64* lanes, const i64* entry_start, const i64* pair_start, const u8* entry_lane, const u64* entry_ticks,
    const i64* entry_pair, const i32* lane_address, float* error)
{
    (void)n_blocks;
    const ActiveSet set = {kind, lanes, entry_start, pair_start, entry_lane, entry_ticks, entry_pair};
    const i64 block = blockIdx.x, n_chunks = chunks_of(n_ticks), item = block / n_chunks, chunk = block % n_chunks;
    const i64 tile = item / n_samples, own = lane_address[tile * TILE + threadIdx.x];
    const i64 first_row = item % n_samples * n_ticks + chunk * CHUNK;
    const Groups of = {n_spikes, n_keys, tick_ptr, address};
    i64 pair;
    u64 ticks = own_ticks(set, block, tile, length_of(chunk, n_ticks), &pair);
    if (own < 0)
        return;
    for (; ticks != 0; ticks &= ticks - 1, pair++) {
        const i64 n = count_of(of, first_row + __ffsll(ticks) - 1, own, table, count);
        error[pair] = error[pair] + (shift[own / n_positions] + slope[own / n_positions] * (float)n);
    }
}

// error = 0, in all groups, at the pairs of neurons that were dropped; see `normalise_error` and `count_routed`.
extern "C" __global__ void mask_error(
    i64 n_blocks, i64 n_samples, i64 n_ticks, i64 n_neurons, i64 n_groups, i64 n_pairs, const u8* kept, i64 kind,
    const i64* lanes, const i64* entry_start, const i64* pair_start, const u8* entry_lane, const u64* entry_ticks,
    const i64* entry_pair, const i32* lane_address, float* error)
{
    (void)n_blocks;
    const ActiveSet set = {kind, lanes, entry_start, pair_start, entry_lane, entry_ticks, entry_pair};
    const i64 block = blockIdx.x, n_chunks = chunks_of(n_ticks), item = block / n_chunks, chunk = block % n_chunks;
    const i64 tile = item / n_samples, own = lane_address[tile * TILE + threadIdx.x];
    i64 pair;
    const u64 ticks = own_ticks(set, block, tile, length_of(chunk, n_ticks), &pair);
    if (own < 0 || kept[item % n_samples * n_neurons + own])
        return;
    for (i64 group = 0; group < n_groups; group++)
        for (i64 k = 0; k < __popcll(ticks); k++)
            error[group * n_pairs + pair + k] = 0.0f;
}

// gradient += scale rows.
extern "C" __global__ void add_scaled(i64 n, float scale, const float* rows, float* gradient)
{
    const i64 i = global_index();
    if (i < n)
        gradient[i] = gradient[i] + scale * rows[i];
}
