// Spike lists of a convolution's patches, cut from those of its input; see kernels/cpu/patches.py, whose order of a tick's
// spikes this keeps: by pixel, in the order in which pixels come first.

// count[pixel], spikes from every pixel, whatever their channel; zero before.
extern "C" __global__ void count_pixels(i64 n_spikes, i64 n_pixels, const i32* address, i32* count)
{
    const i64 k = global_index();
    if (k < n_spikes)
        atomicAdd(&count[address[k] % n_pixels], 1);
}

// count[list * n_ticks + tick], spikes that a patch sees in a tick; list: patch * n_samples + sample.
extern "C" __global__ void count_seen(
    i64 n_rows, i64 n_samples, i64 n_ticks, i64 n_pixels, i64 width, i64 padding, i64 across, i64 step_down,
    i64 step_across, i64 rows_in, i64 columns_in, const u8* has_tap, const i64* tick_ptr, const i32* address, i64* count)
{
    const i64 row = global_index();
    if (row >= n_rows)
        return;
    const Geometry at = {n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in, has_tap};
    const i64 list = row / n_ticks, now = list % n_samples * n_ticks + row % n_ticks;
    i64 n = 0;
    for (i64 k = tick_ptr[now]; k < tick_ptr[now + 1]; k++)
        n += row_of(at, list / n_samples, address[k]) >= 0;
    count[row] = n;
}

// The rows of weights that these spikes are, and their ticks, at list_ptr[list * n_ticks + tick] on.
extern "C" __global__ void cut_patches(
    i64 n_rows, i64 n_samples, i64 n_ticks, i64 n_pixels, i64 width, i64 padding, i64 across, i64 step_down,
    i64 step_across, i64 rows_in, i64 columns_in, const u8* has_tap, const i64* tick_ptr, const i32* address,
    const i64* list_ptr, i32* row_address, i32* row_tick)
{
    const i64 row = global_index();
    if (row >= n_rows)
        return;
    const Geometry at = {n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in, has_tap};
    const i64 list = row / n_ticks, now = list % n_samples * n_ticks + row % n_ticks;
    i64 to = list_ptr[row];
    for (i64 k = tick_ptr[now]; k < tick_ptr[now + 1]; k++) {
        const i64 own = row_of(at, list / n_samples, address[k]);
        if (own < 0)
            continue;
        row_address[to] = (i32)own;
        row_tick[to] = (i32)(row % n_ticks);
        to++;
    }
}
