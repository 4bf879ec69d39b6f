// Spike lists of a convolution's patches, cut from those of its input; see kernels/cpu/patches.py, whose order of a
// tick's spikes this keeps: by pixel, in the order in which pixels come first.

// count[pixel], spikes from every pixel, whatever their channel; zero before.
extern "C" __global__ void count_pixels(i64 n_spikes, i64 n_pixels, const i32* address, i32* count)
{
    const i64 k = global_index();
    if (k < n_spikes)
        atomicAdd(&count[address[k] % n_pixels], 1);
}

// count[list * n_ticks + tick], spikes that a patch sees in a tick, zero before; list: patch * n_samples + sample.
// reach_ptr [n_pixels + 1], reach_patch: the patches that see each pixel.
extern "C" __global__ void count_seen(
    i64 n_spikes, i64 n_samples, i64 n_ticks, i64 n_pixels, const i64* sample_ptr, const i32* address, const i32* tick,
    const i64* reach_ptr, const i32* reach_patch, i64* count)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 sample = sample_of(k, n_samples, sample_ptr), pixel = address[k] % n_pixels;
    for (i64 i = reach_ptr[pixel]; i < reach_ptr[pixel + 1]; i++)
        atomicAdd((u64*)&count[(reach_patch[i] * n_samples + sample) * n_ticks + tick[k]], (u64)1);
}

// row_address[...], list_ptr[list * n_ticks + tick] on: these spikes, less the first of their tick, in any order;
// `cut_patches` brings them into theirs. count counts down to zero.
extern "C" __global__ void list_seen(
    i64 n_spikes, i64 n_samples, i64 n_ticks, i64 n_pixels, const i64* sample_ptr, const i32* address, const i32* tick,
    const i64* reach_ptr, const i32* reach_patch, const i64* tick_ptr, const i64* list_ptr, i64* count,
    i32* row_address)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 sample = sample_of(k, n_samples, sample_ptr), pixel = address[k] % n_pixels;
    const i32 own = (i32)(k - tick_ptr[sample * n_ticks + tick[k]]);
    for (i64 i = reach_ptr[pixel]; i < reach_ptr[pixel + 1]; i++) {
        const i64 row = (reach_patch[i] * n_samples + sample) * n_ticks + tick[k];
        const i64 left = (i64)atomicAdd((u64*)&count[row], ~(u64)0);  // one less
        row_address[list_ptr[row + 1] - left] = own;
    }
}

// row_address becomes the rows of weights that the spikes are, in their order; with their ticks.
extern "C" __global__ void cut_patches(
    i64 n_rows, i64 n_samples, i64 n_ticks, i64 n_pixels, i64 width, i64 padding, i64 across, i64 step_down,
    i64 step_across, i64 rows_in, i64 columns_in, const u8* has_tap, const i64* tick_ptr, const i32* address,
    const i64* list_ptr, i32* row_address, i32* row_tick)
{
    const i64 row = global_index();
    if (row >= n_rows || list_ptr[row] == list_ptr[row + 1])
        return;
    const Geometry at = {n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in, has_tap};
    const i64 list = row / n_ticks, first = tick_ptr[list % n_samples * n_ticks + row % n_ticks];
    sort(row_address + list_ptr[row], list_ptr[row + 1] - list_ptr[row]);
    for (i64 k = list_ptr[row]; k < list_ptr[row + 1]; k++) {
        row_address[k] = (i32)row_of(at, list / n_samples, address[first + row_address[k]]);
        row_tick[k] = (i32)(row % n_ticks);
    }
}
