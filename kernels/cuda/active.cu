// Active sets from the bits that a forward pass kept: a block for every chunk of 64 ticks of an item, a thread for every
// neuron. `ActiveSet` says how they are laid out; here an entry also has its block and its first pair.

// The ticks of a chunk at which the thread's neuron is active.
__device__ inline u64 ticks_of(const u64* active, i64 block, i64 n_ticks)
{
    const i64 n_chunks = (n_ticks + CHUNK - 1) / CHUNK, begin = block % n_chunks * CHUNK;
    const u64* words = active + block / n_chunks * n_ticks + begin;
    const i64 n = n_ticks - begin < CHUNK ? n_ticks - begin : CHUNK;
    u64 ticks = 0;
    for (i64 k = 0; k < n; k++)
        ticks |= (words[k] >> threadIdx.x & 1) << k;
    return ticks;
}

extern "C" __global__ void count_active(
    i64 n_blocks, i64 n_ticks, const u64* active, i64* block_entries, i64* block_pairs)
{
    (void)n_blocks;
    const u64 ticks = ticks_of(active, blockIdx.x, n_ticks);
    int entries, pairs;
    sum_before(ticks != 0, &entries);
    sum_before(__popcll(ticks), &pairs);
    if (threadIdx.x == 0) {
        block_entries[blockIdx.x] = entries;
        block_pairs[blockIdx.x] = pairs;
    }
}

extern "C" __global__ void close_chunk(
    i64 n_blocks, i64 n_ticks, float theta, float rho_width, float rho_peak, const u64* active, const float* u,
    const i64* entry_start, const i64* pair_start, u8* entry_lane, u64* entry_ticks, i32* entry_block, i64* entry_pair,
    float* rho)
{
    (void)n_blocks;
    const i64 block = blockIdx.x, n_chunks = (n_ticks + CHUNK - 1) / CHUNK;
    u64 ticks = ticks_of(active, block, n_ticks);
    int all;
    const i64 entry = entry_start[block] + sum_before(ticks != 0, &all);
    i64 pair = pair_start[block] + sum_before(__popcll(ticks), &all);
    if (ticks == 0)
        return;
    entry_lane[entry] = (u8)threadIdx.x;
    entry_ticks[entry] = ticks;
    entry_block[entry] = (i32)block;
    entry_pair[entry] = pair;
    const float* own = u + (block / n_chunks * n_ticks + block % n_chunks * CHUNK) * TILE + threadIdx.x;
    for (; ticks != 0; ticks &= ticks - 1)
        rho[pair++] = surrogate(own[(__ffsll(ticks) - 1) * TILE], theta, rho_width, rho_peak);
}

// The blocks of entries where an item has another number of chunks.
extern "C" __global__ void renumber_blocks(
    i64 n_entries, i64 n_chunks, i64 new_chunks, const i32* entry_block, i32* new_block)
{
    const i64 entry = global_index();
    if (entry < n_entries)
        new_block[entry] = (i32)(entry_block[entry] / n_chunks * new_chunks + entry_block[entry] % n_chunks);
}
