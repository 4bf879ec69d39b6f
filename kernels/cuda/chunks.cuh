// Closing the chunks of active sets, as in kernels/cpu/active.py. A kernel that runs a tile of 64 neurons, a block of
// 64 threads, tick by tick makes an `OwnChunk`, and all threads together tell it of every tick that they come to
// (`keep`) and of the end (`close`). Potentials of a chunk wait in shared memory, 16 KiB a block, so that 12 blocks, 24
// warps, fit a multiprocessor of 228 KiB; to have them in global memory would take a number for every neuron and tick.
//
// A chunk is written once, wherever there is room in lists of all tiles: how much it needs is known when it ends, and
// not before. Where lists end up, in the order of blocks, depends on all counts; `gather_chunks` brings them there. The
// other way, to run a layer once to count and once more to write, would read all rows of weights twice, which is most
// of what a layer reads; this reads and writes twice what is active. A tile one of whose chunks does not fit says so,
// and is run once more when all places are known: is_again.

struct ChunkLists {
    i64 is_again, entry_room, pair_room;
    float u_low, u_high;  // potentials that count as active: from the one on, below the other
    float rho_width, rho_peak;
    u64* used;                         // [2], entries and pairs of all chunks, those that do not fit among them
    i64 *entry_place, *pair_place;     // [blocks], where each of them stands, -1 where it does not fit
    i64 *block_entries, *block_pairs;  // [blocks], zero before
    u8* is_short;                      // [items], zero before
    u8* entry_lane;
    u64* entry_ticks;
    float* rho;

    __device__ bool counts(float u) const { return u >= u_low && !(u >= u_high); }
};

struct OwnChunk {
    const ChunkLists* lists;
    float theta;
    i64 item, first_block, chunk;
    u64 ticks;  // at which the thread's neuron is active

    // The first chunk of an item.
    __device__ OwnChunk(const ChunkLists& all, i64 own, i64 n_ticks, float threshold)
        : lists(&all), theta(threshold), item(own), first_block(own * chunks_of(n_ticks)), chunk(0), ticks(0)
    {
    }

    // Keep what is active of a tick, which is not before any that was told of, among neurons that may be; all 64
    // threads together.
    __device__ void keep(i64 t, float u, bool may_be_active)
    {
        if (t / CHUNK != chunk) {
            close();
            chunk = t / CHUNK;
        }
        if (may_be_active && lists->counts(u)) {
            ticks |= (u64)1 << t % CHUNK;
            *in_chunk(t % CHUNK, threadIdx.x) = u;
        }
    }

    // Write the chunk: an entry for each neuron with active ticks, and rho of their potentials, by neuron and tick; all
    // 64 threads together.
    __device__ void close()
    {
        __shared__ i64 place[2];
        const Pairs pairs = pairs_of(ticks);
        if (pairs.n == 0)
            return;
        int entries;
        const int before = sum_before(ticks != 0, &entries);
        if (threadIdx.x == 0)
            find_place(entries, pairs.n, place);
        __syncthreads();
        const i64 entry = place[0] + before, pair = place[1];
        if (pair >= 0) {
            if (ticks != 0) {
                lists->entry_lane[entry] = (u8)threadIdx.x;
                lists->entry_ticks[entry] = ticks;
            }
            for (int k = threadIdx.x; k < pairs.n; k += TILE) {
                int lane, tick;
                pairs.find(k, &lane, &tick);
                lists->rho[pair + k] = surrogate(*in_chunk(tick, lane), theta, lists->rho_width, lists->rho_peak);
            }
        }
        ticks = 0;
        __syncthreads();  // the next chunk's potentials may go over these
    }

    __device__ void find_place(int entries, int pairs, i64* place)
    {
        const i64 block = first_block + chunk;
        if (!lists->is_again) {
            const i64 entry = (i64)atomicAdd(lists->used, (u64)entries);
            const i64 pair = (i64)atomicAdd(lists->used + 1, (u64)pairs);
            const bool fits = entry + entries <= lists->entry_room && pair + pairs <= lists->pair_room;
            lists->entry_place[block] = fits ? entry : -1;
            lists->pair_place[block] = fits ? pair : -1;
            lists->block_entries[block] = entries;
            lists->block_pairs[block] = pairs;
            if (!fits)
                lists->is_short[item] = 1;
        }
        place[0] = lists->entry_place[block];
        place[1] = lists->pair_place[block];
    }
};

// Whether an item has nothing to do: all that it keeps has found room before.
__device__ __forceinline__ bool is_done(const ChunkLists& lists, i64 item)
{
    return lists.is_again && !lists.is_short[item];
}
