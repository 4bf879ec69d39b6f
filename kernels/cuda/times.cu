// Spike lists in continuous time: by (sample, time, address) from the lists of neurons, behind stages, of patches, and
// by address for gradients. Orders are made by sorting keys; see `Device.order`.

// The spikes of all neurons, sample by sample and neuron by neuron: from where there was room for them, see
// `SpikeLists`, to list_ptr[n_lists + 1].
extern "C" __global__ void list_times(
    i64 n_lists, i64 n_neurons, i64 room, const i64* spike_ptr, const i64* list_ptr, const double* spike_time,
    double* time, i32* address)
{
    const i64 list = global_index();
    if (list >= n_lists)
        return;
    const double* own = spike_time + (room > 0 ? list * room : spike_ptr[list]);
    for (i64 k = list_ptr[list]; k < list_ptr[list + 1]; k++) {
        time[k] = own[k - list_ptr[list]];
        address[k] = (i32)(list % n_neurons);
    }
}

// key[k], the sample of spike order[k].
extern "C" __global__ void key_samples(i64 n_spikes, i64 n_samples, const i64* sample_ptr, const i64* order, i32* key)
{
    const i64 k = global_index();
    if (k < n_spikes)
        key[k] = (i32)sample_of(order[k], n_samples, sample_ptr);
}

// The spikes order[by_sample[0]], order[by_sample[1]], ...
extern "C" __global__ void merge_times(
    i64 n_spikes, const i64* order, const i64* by_sample, const double* item_time, const i32* item_address,
    double* time, i32* address)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 i = order[by_sample[k]];
    time[k] = item_time[i];
    address[k] = item_address[i];
}

// The tick that every spike falls in.
extern "C" __global__ void floor_times(i64 n_spikes, i64 n_ticks, double dt, const double* time, i32* tick)
{
    const i64 k = global_index();
    if (k < n_spikes)
        tick[k] = (i32)smaller(time[k] / dt, (double)(n_ticks > 0 ? n_ticks - 1 : 0));
}

// `route_spikes` for spikes with times.
extern "C" __global__ void route_times(
    i64 n_spikes, i64 n_samples, i64 n_neurons, i64 is_masked, const i64* sample_ptr, const i32* address,
    const double* time, const i32* table, const u8* kept, const i64* new_ptr, i32* new_address, double* new_time)
{
    const i64 k = global_index();
    if (k >= n_spikes || new_ptr[k] == new_ptr[k + 1])
        return;
    new_address[new_ptr[k]] = (i32)routed(k, n_samples, n_neurons, is_masked, sample_ptr, address, table, kept);
    new_time[new_ptr[k]] = time[k];
}

// count[k], the patches that see spike k: its pairs, see `list_pairs`.
extern "C" __global__ void count_pairs(
    i64 n_spikes, i64 n_pixels, const i32* address, const i64* reach_ptr, i64* count)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 pixel = address[k] % n_pixels;
    count[k] = reach_ptr[pixel + 1] - reach_ptr[pixel];
}

// patch[...] and spike[...], pair_ptr[k] on: the pairs of spike k and the patches that see it,
// reach_patch[reach_ptr[pixel]] and on.
extern "C" __global__ void list_pairs(
    i64 n_spikes, i64 n_pixels, const i32* address, const i64* reach_ptr, const i32* reach_patch, const i64* pair_ptr,
    i32* patch, i64* spike)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 first = reach_ptr[address[k] % n_pixels];
    for (i64 pair = pair_ptr[k]; pair < pair_ptr[k + 1]; pair++) {
        patch[pair] = reach_patch[first + pair - pair_ptr[k]];
        spike[pair] = k;
    }
}

// list_ptr[n_starts], where list patch * n_samples + sample begins among the pairs by patch, of which order[...] says
// where they stand: pairs come by sample, and an order leaves what is equal as it is.
extern "C" __global__ void find_lists(
    i64 n_starts, i64 n_samples, i64 n_pairs, const i64* sample_ptr, const i32* patch, const i64* spike,
    const i64* order, i64* list_ptr)
{
    const i64 list = global_index();
    if (list >= n_starts)
        return;
    i64 low = 0, high = n_pairs;
    if (list == n_starts - 1)
        low = n_pairs;
    else {
        const i64 own = list / n_samples, first = sample_ptr[list % n_samples];
        while (low < high) {
            const i64 middle = low + (high - low) / 2, pair = order[middle];
            if (patch[pair] < own || (patch[pair] == own && spike[pair] < first))
                low = middle + 1;
            else
                high = middle;
        }
    }
    list_ptr[list] = low;
}

// The rows of weights that spikes are in the patches that see them, and their times, pair by pair in their order; see
// kernels/cpu/patches.py.
extern "C" __global__ void cut_patch_times(
    i64 n_pairs, i64 n_pixels, i64 rows_a_channel, const i32* address, const double* time, const i64* reach_ptr,
    const i32* reach_row, const i64* pair_ptr, const i64* spike, const i64* order, i32* row, double* row_time)
{
    const i64 to = global_index();
    if (to >= n_pairs)
        return;
    const i64 pair = order[to], k = spike[pair], channel = address[k] / n_pixels, pixel = address[k] % n_pixels;
    row[to] = (i32)(channel * rows_a_channel + reach_row[reach_ptr[pixel] + pair - pair_ptr[k]]);
    row_time[to] = time[k];
}

// The first tick k with k dt >= time; as products round, which a quotient may miss by one.
__device__ inline i64 next_tick(double time, double dt)
{
    i64 tick = (i64)ceil(time / dt);
    while ((double)(tick - 1) * dt >= time)
        tick--;
    while ((double)tick * dt < time)
        tick++;
    return tick;
}

// fired[items, n_ticks], the bits of a layer's own spikes, each in the first tick that is not before it; zero before.
// place[n_neurons]: 64 tile + lane of each.
extern "C" __global__ void mark_own_spikes(
    i64 n_spikes, i64 n_samples, i64 n_ticks, double dt, const i64* sample_ptr, const i32* address, const double* time,
    const i32* place, u64* fired)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 tick = next_tick(time[k], dt), at = place[address[k]];
    const i64 item = at / TILE * n_samples + sample_of(k, n_samples, sample_ptr);
    if (tick < n_ticks)
        atomicOr(&fired[item * n_ticks + tick], (u64)1 << at % TILE);
}

// row[...] = at[place] * n_ticks + tick of the spikes in the order of their keys, see `group_by_address`, and
// share[..., 2]: what they count there, see `share_times` in kernels/cpu/times.py.
extern "C" __global__ void group_times_by_address(
    i64 n_spikes, i64 n_places, i64 n_ticks, double dt, const double* shares, const i32* at, const i64* key,
    const i64* order, const double* time, i32* row, float* share)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 i = order[k], tick = next_tick(time[i], dt), first = at[key[i] % n_places] * n_ticks;
    if (tick >= n_ticks) {
        row[k] = (i32)(first + n_ticks - 1);
        share[2 * k] = share[2 * k + 1] = 0.0f;
        return;
    }
    const double ahead = (double)tick * dt - time[i], other = shares[SHARE_OTHER_RATE];
    double of_ramp = 0.0;
    if (shares[SHARE_SLOPE] != 0.0)
        of_ramp = shares[SHARE_SLOPE] * ahead * exp(-other * ahead);
    if (shares[SHARE_DIFFERENCE] != 0.0)
        of_ramp += shares[SHARE_DIFFERENCE] * fade_beyond(ahead, shares[SHARE_RATE], other);
    row[k] = (i32)(first + tick);
    share[2 * k] = (float)exp(-shares[SHARE_RATE] * ahead);
    share[2 * k + 1] = (float)of_ramp;
}
