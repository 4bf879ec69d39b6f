// Spike lists in continuous time: by (sample, time, address) from the lists of neurons, behind stages, of patches, and by
// address for gradients. Orders are made by sorting keys; see `Device.order`.

// The spikes of all neurons, sample by sample and neuron by neuron: from where there was room for them, see `SpikeLists`,
// to list_ptr[n_lists + 1].
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
    i64 n_spikes, const i64* order, const i64* by_sample, const double* item_time, const i32* item_address, double* time,
    i32* address)
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

// What a patch sees of its input, in 32 bits.
struct View {
    u32 n_pixels, width, y, x, rows, columns;
    const u8* has_tap;

    __device__ View(const Geometry& at, i64 patch)
        : n_pixels((u32)at.n_pixels), width((u32)at.width),
          y((u32)(patch / at.across * at.step_down - at.padding)), x((u32)(patch % at.across * at.step_across - at.padding)),
          rows((u32)at.rows_in), columns((u32)at.columns_in), has_tap(at.has_tap)
    {
    }

    // `row_of`: what lies beside the patch is far off, since unsigned numbers wrap.
    __device__ i32 row_of(u32 address) const
    {
        const u32 channel = address / n_pixels, pixel = address - channel * n_pixels, down = pixel / width;
        const u32 own_y = down - y, own_x = pixel - down * width - x;
        if (own_y >= rows || own_x >= columns || !has_tap[own_y * columns + own_x])
            return -1;
        return (i32)((channel * rows + own_y) * columns + own_x);
    }
};

// count[list], the spikes that a patch sees; list: patch * n_samples + sample. A warp for each list, which goes through
// the spikes of its sample.
extern "C" __global__ void count_patch_times(
    i64 n_lists, i64 n_samples, i64 n_pixels, i64 width, i64 padding, i64 across, i64 step_down, i64 step_across,
    i64 rows_in, i64 columns_in, const u8* has_tap, const i64* sample_ptr, const i32* address, i64* count)
{
    const i64 list = global_index() / WARP;
    if (list >= n_lists)
        return;
    const View view({n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in, has_tap},
                    list / n_samples);
    const i64 sample = list % n_samples;
    const int lane = threadIdx.x % WARP;
    i64 n = 0;
    for (i64 first = sample_ptr[sample]; first < sample_ptr[sample + 1]; first += WARP) {
        const i64 k = first + lane;
        n += __popc(__ballot_sync(EVERY_LANE, k < sample_ptr[sample + 1] && view.row_of((u32)address[k]) >= 0));
    }
    if (lane == 0)
        count[list] = n;
}

// The rows of weights that these spikes are, and their times, at list_ptr[list] on; see kernels/cpu/patches.py.
extern "C" __global__ void cut_patch_times(
    i64 n_lists, i64 n_samples, i64 n_pixels, i64 width, i64 padding, i64 across, i64 step_down, i64 step_across,
    i64 rows_in, i64 columns_in, const u8* has_tap, const i64* sample_ptr, const i32* address, const double* time,
    const i64* list_ptr, i32* row, double* row_time)
{
    const i64 list = global_index() / WARP;
    if (list >= n_lists)
        return;
    const View view({n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in, has_tap},
                    list / n_samples);
    const i64 sample = list % n_samples;
    const int lane = threadIdx.x % WARP;
    i64 to = list_ptr[list];
    for (i64 first = sample_ptr[sample]; first < sample_ptr[sample + 1]; first += WARP) {
        const i64 k = first + lane;
        const i32 own = k < sample_ptr[sample + 1] ? view.row_of((u32)address[k]) : -1;
        const u32 seen = __ballot_sync(EVERY_LANE, own >= 0);
        if (own >= 0) {
            const i64 place = to + __popc(seen & ((1u << lane) - 1));
            row[place] = own;
            row_time[place] = time[k];
        }
        to += __popc(seen);
    }
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

// row[...] = at[place] * n_ticks + tick of the spikes in the order of their keys, see `group_by_address`, and share[..., 2]:
// what they count there, see `share_times` in kernels/cpu/times.py.
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
