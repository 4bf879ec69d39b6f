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
