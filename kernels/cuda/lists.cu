// Spike lists: by (sample, tick, address) from the bits of tiles, with their runs, which are counted first, then the
// counts are summed up, then filled in; and by address for gradients, by a key that is sorted. Every number has one
// thread that writes it.

// count[row * n_groups + group], spikes of row sample * n_ticks + tick in sixteen tiles; a thread for each, those of
// neighbouring rows side by side.
extern "C" __global__ void count_ticks(
    i64 n_words, i64 n_rows, i64 tiles, i64 n_groups, const u64* fired, i64* count)
{
    const i64 word = global_index(), row = word % n_rows, group = word / n_rows;
    if (word >= n_words)
        return;
    const i64 last = (group + 1) * TILES_A_GROUP < tiles ? (group + 1) * TILES_A_GROUP : tiles;
    i64 n = 0;
    for (i64 tile = group * TILES_A_GROUP; tile < last; tile++)
        n += __popcll(fired[tile * n_rows + row]);
    count[row * n_groups + group] = n;
}

// taken[i] = values[i * step].
extern "C" __global__ void every_nth(i64 n, i64 step, const i64* values, i64* taken)
{
    const i64 i = global_index();
    if (i < n)
        taken[i] = values[i * step];
}

// tick_ptr[samples * n_ticks + 1], where the spikes of every tick of every sample begin.
extern "C" __global__ void find_ticks(
    i64 n_starts, i64 n_samples, i64 n_ticks, const i64* sample_ptr, const i32* tick, i64* tick_ptr)
{
    const i64 row = global_index();
    if (row >= n_starts)
        return;
    if (row == n_starts - 1) {
        tick_ptr[row] = sample_ptr[n_samples];
        return;
    }
    const i64 sample = row / n_ticks;
    tick_ptr[row] = first_from(tick, sample_ptr[sample], sample_ptr[sample + 1], (i32)(row % n_ticks));
}

// Ticks of a sample that have spikes: their number, the tick of each, and where its spikes begin, from run_base on; a
// warp for each sample. tick_ptr[samples * n_ticks + 1] are the spikes of every tick.
extern "C" __global__ void group_by_tick(
    i64 n_samples, i64 n_ticks, const i64* tick_ptr, i64* run_base, i64* run_count, i32* run_tick, i64* run_start)
{
    const i64 sample = global_index() / WARP;
    const int lane = threadIdx.x % WARP;
    if (sample >= n_samples)
        return;
    const i64* ptr = tick_ptr + sample * n_ticks;
    const i64 base = sample * (n_ticks + 1);
    i64 run = base;
    for (i64 first = 0; first < n_ticks; first += WARP) {
        const i64 tick = first + lane;
        const bool has_spikes = tick < n_ticks && ptr[tick + 1] > ptr[tick];
        const u32 bits = __ballot_sync(EVERY_LANE, has_spikes);
        if (has_spikes) {
            const i64 own = run + __popc(bits & ((1u << lane) - 1));
            run_tick[own] = (i32)tick;
            run_start[own] = ptr[tick];
        }
        run += __popc(bits);
    }
    if (lane == 0) {
        run_base[sample] = base;
        run_count[sample] = run - base;
        run_start[run] = ptr[n_ticks];
    }
}

// The spikes that `count_ticks` counts, group_ptr[row * n_groups + group] on; by address.
extern "C" __global__ void merge_items(
    i64 n_words, i64 n_rows, i64 tiles, i64 n_groups, i64 n_ticks, const u64* fired, const i64* group_ptr, i32* address,
    i32* tick)
{
    const i64 word = global_index(), row = word % n_rows, group = word / n_rows;
    if (word >= n_words)
        return;
    const i64 last = (group + 1) * TILES_A_GROUP < tiles ? (group + 1) * TILES_A_GROUP : tiles;
    i64 k = group_ptr[row * n_groups + group];
    if (k == group_ptr[row * n_groups + group + 1])
        return;
    for (i64 tile = group * TILES_A_GROUP; tile < last; tile++)
        for (u64 lanes = fired[tile * n_rows + row]; lanes != 0; lanes &= lanes - 1) {
            address[k] = (i32)(tile * TILE + __ffsll(lanes) - 1);
            tick[k] = (i32)(row % n_ticks);
            k++;
        }
}

// fired[j] = 1 for the neuron of every spike; threads that write the same place write the same.
extern "C" __global__ void mark_neurons(i64 n_spikes, const i32* address, u8* fired)
{
    const i64 k = global_index();
    if (k < n_spikes)
        fired[address[k]] = 1;
}

// key[k], by which the spikes of lists go in the order (block of lists, row of weights, place of the list); those that
// are equal stand in order already.
extern "C" __global__ void key_rows(
    i64 n_spikes, i64 n_samples, i64 n_neurons, i64 n_places, const i64* sample_ptr, const i32* block_of,
    const i32* place_of, const i32* address, i64* key)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 list = sample_of(k, n_samples, sample_ptr);
    key[k] = (block_of[list] * n_neurons + address[k]) * n_places + place_of[list];
}

// neuron_ptr[b * n_neurons + j], where the spikes of neuron j in block b begin in the order of their keys, and where
// the last ones end.
extern "C" __global__ void find_rows(
    i64 n_starts, i64 n_spikes, i64 n_places, const i64* key, const i64* order, i64* neuron_ptr)
{
    const i64 list = global_index();
    if (list >= n_starts)
        return;
    i64 low = 0, high = n_spikes;
    while (low < high) {
        const i64 middle = low + (high - low) / 2;
        if (key[order[middle]] < list * n_places)
            low = middle + 1;
        else
            high = middle;
    }
    neuron_ptr[list] = low;
}

// row[...] = at[place] * n_ticks + tick of the spikes in the order of their keys; at[n_places] says of a list's place
// where the g of its ticks stands.
extern "C" __global__ void group_by_address(
    i64 n_spikes, i64 n_places, i64 n_ticks, const i32* at, const i64* key, const i64* order, const i32* tick, i32* row)
{
    const i64 k = global_index();
    if (k < n_spikes)
        row[k] = (i32)(at[key[order[k]] % n_places] * n_ticks + tick[order[k]]);
}

// ordered[n_tiles * n_rows], the bits of fired[tiles * n_rows] by neuron; place[n_neurons]: 64 tile + lane of each.
extern "C" __global__ void order_lanes(
    i64 n_words, i64 n_rows, i64 n_neurons, const i32* place, const u64* fired, u64* ordered)
{
    const i64 word = global_index();
    if (word >= n_words)
        return;
    const i64 row = word % n_rows, first = word / n_rows * TILE;
    u64 bits = 0;
    for (i64 k = 0; k < TILE && first + k < n_neurons; k++) {
        const i64 at = place[first + k];
        bits |= (fired[at / TILE * n_rows + row] >> at % TILE & 1) << k;
    }
    ordered[word] = bits;
}
