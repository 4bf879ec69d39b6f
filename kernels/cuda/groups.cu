// Groups of spikes of a (sample, tick) that share a key, in time that is linear in the spikes; see groups.cuh.

// table[2 n_spikes], zero before, and the place[n_spikes] there of the group of every spike.
extern "C" __global__ void find_first(
    i64 n_spikes, i64 n_samples, i64 n_ticks, i64 n_keys, const i64* sample_ptr, const i64* tick_ptr,
    const i32* address, const i32* tick, u64* table, i64* place)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const Groups of = {n_spikes, n_keys, tick_ptr, address};
    const i64 key = key_of(of, k);
    const u64 own = (u64)(n_spikes - k);
    Stretch at = stretch_of(of, sample_of(k, n_samples, sample_ptr) * n_ticks + tick[k], key);
    for (;; at.go_on()) {
        const u64 before = atomicCAS(&table[at.place()], (u64)0, own);
        if (before == 0)
            break;
        if (key_of(of, n_spikes - (i64)before) == key) {
            atomicMax(&table[at.place()], own);
            break;
        }
    }
    place[k] = at.place();
}

// count[n_spikes], the spikes of every group at its first one; zero before.
extern "C" __global__ void count_groups(i64 n_spikes, const u64* table, const i64* place, i64* count)
{
    const i64 k = global_index();
    if (k < n_spikes)
        atomicAdd((u64*)&count[n_spikes - (i64)table[place[k]]], (u64)1);
}

// own[...], group_ptr[first spike] on: the spikes of every group, less its first one, in any order; `sort_groups`
// brings them into theirs. Groups stand in the order of their first spikes. count counts down to zero.
extern "C" __global__ void list_groups(
    i64 n_spikes, const u64* table, const i64* place, const i64* group_ptr, i64* count, i32* own)
{
    const i64 k = global_index();
    if (k >= n_spikes)
        return;
    const i64 first = n_spikes - (i64)table[place[k]];
    const i64 left = (i64)atomicAdd((u64*)&count[first], ~(u64)0);  // one less
    own[group_ptr[first + 1] - left] = (i32)(k - first);
}

// own becomes the addresses of the spikes, those of a group in the order of the spikes.
extern "C" __global__ void sort_groups(i64 n_spikes, const i32* address, const i64* group_ptr, i32* own)
{
    const i64 first = global_index();
    if (first >= n_spikes)
        return;
    sort(own + group_ptr[first], group_ptr[first + 1] - group_ptr[first]);
    for (i64 k = group_ptr[first]; k < group_ptr[first + 1]; k++)
        own[k] = address[first + own[k]];
}

// Sums over positions and ticks of the spikes n of an address in a tick, and of n^2: total[samples, 2, channels], zero
// before; count: of groups by address. Whole numbers, in any order.
extern "C" __global__ void sum_squares(
    i64 n_spikes, i64 n_samples, i64 n_positions, i64 n_channels, const i64* sample_ptr, const i32* address,
    const i64* count, i64* total)
{
    const i64 k = global_index();
    if (k >= n_spikes || count[k] == 0)
        return;
    u64* own = (u64*)total + 2 * sample_of(k, n_samples, sample_ptr) * n_channels + address[k] / n_positions;
    atomicAdd(own, (u64)count[k]);
    atomicAdd(own + n_channels, (u64)(count[k] * count[k]));
}
