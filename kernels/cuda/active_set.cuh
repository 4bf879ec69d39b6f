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

// The place of a set bit, the n-th from below, counted from 0.
__device__ inline int bit_at(u64 bits, int n)
{
    int place = 0;
    for (int width = 32; width > 0; width /= 2) {
        const int below = __popcll(bits & (((u64)1 << width) - 1));
        if (n >= below) {
            n -= below;
            bits >>= width;
            place += width;
        }
    }
    return place;
}

// The pairs of a block, which stand by neuron and tick: so that threads may take them in their order, one beside the
// other, whoever's they are.
struct Pairs {
    const int* first;
    const u64* words;
    int n;

    // Lane and tick of pair k.
    __device__ void find(int k, int* lane, int* tick) const
    {
        int own = 0;  // the last one whose pairs begin at or before this one
        for (int step = TILE / 2; step > 0; step /= 2)
            own += first[own + step] <= k ? step : 0;
        *lane = own;
        *tick = bit_at(words[own], k - first[own]);
    }
};

// Those of a chunk at whose `ticks` the threads' neurons are active; all 64 threads of a tile together.
__device__ inline Pairs pairs_of(u64 ticks)
{
    __shared__ int first[TILE];
    __shared__ u64 words[TILE];
    Pairs out = {first, words, 0};
    const int before = sum_before(__popcll(ticks), &out.n);
    first[threadIdx.x] = before;
    words[threadIdx.x] = ticks;
    __syncthreads();
    return out;
}

// Room for a number for each neuron and tick of a chunk, in shared memory; a tick's are turned by its number, so that
// threads that look at one lane's ticks find them in as many banks as those that look at one tick's lanes.
__device__ inline float* in_chunk(int tick, int lane)
{
    __shared__ float numbers[CHUNK * TILE];
    return numbers + tick * TILE + (lane + tick) % TILE;
}
