// Active sets from the chunks that forward passes closed (chunks.cuh): a block for every chunk of 64 ticks of an item,
// 64 threads. `ActiveSet` says how they are laid out; here an entry also has its block and its first pair.

// The entries and pairs of every chunk, from where there was room for them to where they belong; those for which there
// was none, is_short, are there already.
extern "C" __global__ void gather_chunks(
    i64 n_blocks, i64 n_chunks, const i64* entry_place, const i64* pair_place, const u8* is_short, const u8* kept_lane,
    const u64* kept_ticks, const float* kept_rho, const i64* entry_start, const i64* pair_start, u8* entry_lane,
    u64* entry_ticks, i32* entry_block, i64* entry_pair, float* rho)
{
    (void)n_blocks;
    const i64 block = blockIdx.x, first = entry_start[block], pair = pair_start[block];
    const i64 entries = entry_start[block + 1] - first, pairs = pair_start[block + 1] - pair, k = threadIdx.x;
    if (entries == 0)
        return;
    const bool is_there = is_short[block / n_chunks];
    u64 ticks = 0;
    if (k < entries) {
        ticks = is_there ? entry_ticks[first + k] : kept_ticks[entry_place[block] + k];
        if (!is_there) {
            entry_lane[first + k] = kept_lane[entry_place[block] + k];
            entry_ticks[first + k] = ticks;
        }
    }
    int all;
    const int before = sum_before(__popcll(ticks), &all);
    if (k < entries) {
        entry_block[first + k] = (i32)block;
        entry_pair[first + k] = pair + before;
    }
    if (!is_there)
        for (i64 i = k; i < pairs; i += TILE)
            rho[pair + i] = kept_rho[pair_place[block] + i];
}

// The blocks of entries where an item has another number of chunks.
extern "C" __global__ void renumber_blocks(
    i64 n_entries, i64 n_chunks, i64 new_chunks, const i32* entry_block, i32* new_block)
{
    const i64 entry = global_index();
    if (entry < n_entries)
        new_block[entry] = (i32)(entry_block[entry] / n_chunks * new_chunks + entry_block[entry] % n_chunks);
}
