// Walking an active set, which has entries or, with full support, every lane and tick; see `ActiveSet`.

struct ActiveSet {
    i64 kind;
    const i64* lanes;  // of every tile, those up to the last neuron
    const i64 *entry_start, *pair_start;
    const u8* entry_lane;
    const u64* entry_ticks;
    const i64* entry_pair;
};

__device__ __forceinline__ i64 chunks_of(i64 n_ticks) { return (n_ticks + CHUNK - 1) / CHUNK; }

// Ticks of a chunk, as many as there are.
__device__ __forceinline__ i64 length_of(i64 chunk, i64 n_ticks)
{
    return n_ticks - chunk * CHUNK < CHUNK ? n_ticks - chunk * CHUNK : CHUNK;
}

// The item whose numbers of all ticks stand at place `held`, where those of the samples sample_first..sample_last-1 are
// held, in the order of items: tile * n_samples + sample.
__device__ __forceinline__ i64 held_item(i64 held, i64 n_samples, i64 sample_first, i64 sample_last)
{
    const i64 n = sample_last - sample_first;
    return held / n * n_samples + sample_first + held % n;
}

// The active ticks of the thread's neuron in a block, and its first pair; all 64 threads of a tile ask together.
__device__ inline u64 own_ticks(const ActiveSet& set, i64 block, i64 tile, i64 n, i64* pair)
{
    __shared__ u64 ticks[TILE];
    __shared__ i64 pairs[TILE];
    const int lane = threadIdx.x;
    if (set.kind == ALL) {
        *pair = set.pair_start[block] + lane * n;
        return lane < set.lanes[tile] ? ~(u64)0 >> (CHUNK - n) : 0;
    }
    __syncthreads();  // those of a block before may still be read
    ticks[lane] = 0;
    __syncthreads();
    const i64 entry = set.entry_start[block] + lane;
    if (entry < set.entry_start[block + 1]) {
        ticks[set.entry_lane[entry]] = set.entry_ticks[entry];
        pairs[set.entry_lane[entry]] = set.entry_pair[entry];
    }
    __syncthreads();
    *pair = pairs[lane];
    return ticks[lane];
}
