// Where a spike stands in a list by (sample, tick).

// The sample of a spike: the last one that begins at or before it.
__device__ inline i64 sample_of(i64 k, i64 n_samples, const i64* sample_ptr)
{
    i64 low = 0, high = n_samples;
    while (high - low > 1) {
        const i64 middle = (low + high) / 2;
        if (sample_ptr[middle] <= k)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// The first of values[low..high-1], which ascend, that is at least `least`; high where none is.
template <class T>
__device__ inline i64 first_from(const T* values, i64 low, i64 high, T least)
{
    while (low < high) {
        const i64 middle = low + (high - low) / 2;
        if (values[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The new address of a spike, or -1: that which `table` says, unless it is one that its sample's mask drops.
__device__ inline i64 routed(
    i64 k, i64 n_samples, i64 n_neurons, i64 is_masked, const i64* sample_ptr, const i32* address, const i32* table,
    const u8* kept)
{
    const i64 to = table[address[k]];
    return to < 0 || (is_masked && !kept[sample_of(k, n_samples, sample_ptr) * n_neurons + to]) ? -1 : to;
}
