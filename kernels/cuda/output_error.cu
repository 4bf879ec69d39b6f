// The errors that a backward pass starts from, at the pairs of active sets, and what a regulariser adds to them.

// error[pairs] = value[samples, n_neurons] in the ticks first..last-1, and 0 in others, at the pairs of an active set;
// a block for each of its blocks. lane_neuron[tiles, 64]: the neuron of every lane, or -1.
extern "C" __global__ void spread_error(
    i64 n_blocks, i64 n_samples, i64 n_neurons, i64 n_ticks, i64 first, i64 last, i64 kind, const i64* lanes,
    const i64* entry_start, const i64* pair_start, const u8* entry_lane, const u64* entry_ticks, const i64* entry_pair,
    const i32* lane_neuron, const float* value, float* error)
{
    (void)n_blocks;
    const ActiveSet set = {kind, lanes, entry_start, pair_start, entry_lane, entry_ticks, entry_pair};
    const i64 block = blockIdx.x, n_chunks = chunks_of(n_ticks), item = block / n_chunks;
    const i64 tile = item / n_samples, begin = block % n_chunks * CHUNK;
    i64 pair;
    const Pairs pairs = pairs_of(own_ticks(set, block, tile, length_of(block % n_chunks, n_ticks), &pair));
    const float* own = value + item % n_samples * n_neurons;
    for (int k = threadIdx.x; k < pairs.n; k += TILE) {
        int lane, tick;
        pairs.find(k, &lane, &tick);
        const i64 neuron = lane_neuron[tile * TILE + lane];
        const bool counts = neuron >= 0 && first <= begin + tick && begin + tick < last;
        error[pair_start[block] + k] = counts ? own[neuron] : 0.0f;
    }
}

// Add a number for each sample to the error of the first group at all pairs; a block for each block of the active set.
extern "C" __global__ void add_pressure(
    i64 n_blocks, i64 n_samples, i64 n_ticks, const i64* pair_start, const float* pressure, float* error)
{
    (void)n_blocks;
    const i64 block = blockIdx.x;
    const float own = pressure[block / chunks_of(n_ticks) % n_samples];
    for (i64 pair = pair_start[block] + threadIdx.x; pair < pair_start[block + 1]; pair += blockDim.x)
        error[pair] = error[pair] + own;
}
