// A tile of 64 neurons is 64 threads, one a neuron, mostly of a block of their own; bits of all of them are the two
// words of their warps.

__device__ __forceinline__ bool is_first_of_warp() { return threadIdx.x % WARP == 0; }

// Write the bits of a tile's neurons for which `is_set` as one u64 to words[at].
__device__ __forceinline__ void write_bits(u64* words, i64 at, bool is_set)
{
    const u32 bits = __ballot_sync(EVERY_LANE, is_set);
    if (is_first_of_warp() && bits != 0)  // the words are zero before
        ((u32*)words)[2 * at + threadIdx.x % TILE / WARP] = bits;
}

// What was written so in the same kernel: in the same words, lest a compiler take them for others.
__device__ __forceinline__ u64 read_bits(const u64* words, i64 at)
{
    const u32* halves = (const u32*)words + 2 * at;
    return halves[0] | (u64)halves[1] << WARP;
}

// A weight as what sums are made of: whole numbers of int8, exact in any order, and floats of float16, by its bits.
__device__ __forceinline__ float widened(float weight) { return weight; }
__device__ __forceinline__ i32 widened(i8 weight) { return weight; }
__device__ __forceinline__ float widened(u16 bits)
{
#ifdef __CUDA_ARCH__
    float out;  // what __half2float does, of a header that not every compiler finds
    asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(bits));
    return out;
#else
    return float_of_half(bits);
#endif
}

// Sum of rows[address[i]] for i in first..last-1, one after the other: the order, and so the bits, of the CPU. Eight of
// them are waited for at once, and so are the last few. Where whole warps ask together each thread loads an address:
// with as many loads of addresses as of rows ptxas 13 waits for some rows before it begins others.
template <bool IS_WHOLE_WARP = false, class Weight>
__device__ inline float sum_rows(const Weight* rows, const i32* address, i64 first, i64 last)
{
    const Weight* own = rows + threadIdx.x % TILE;
    const int member = threadIdx.x % 8;
    decltype(widened(*own)) total = 0;
    i64 i = first;
    for (; i + 8 <= last; i += 8) {
        const i32 at = IS_WHOLE_WARP ? address[i + member] : 0;
        Weight row[8];
        for (int k = 0; k < 8; k++)
            row[k] = own[(i64)(IS_WHOLE_WARP ? __shfl_sync(EVERY_LANE, at, k) : address[i + k]) * TILE];
        for (int k = 0; k < 8; k++)
            total = total + widened(row[k]);
    }
    if (i < last) {
        const int n = (int)(last - i);
        const i32 at = IS_WHOLE_WARP ? address[i + (member < n ? member : n - 1)] : 0;
        Weight row[7];
        for (int k = 0; k < 7; k++)
            row[k] = own[(i64)(IS_WHOLE_WARP ? __shfl_sync(EVERY_LANE, at, k)
                                             : address[i + (k < n ? k : n - 1)]) * TILE];
        for (int k = 0; k < 7; k++)
            total = k < n ? total + widened(row[k]) : total;
    }
    return (float)total;
}

// The sum of `value` over the block's threads before this one, and, in *all, over all of them. 64 threads.
__device__ inline int sum_before(int value, int* all)
{
    __shared__ int values[TILE];
    __syncthreads();  // a sum before may still be read
    values[threadIdx.x] = value;
    __syncthreads();
    int before = 0, total = 0;
    for (int i = 0; i < TILE; i++) {
        before += i < (int)threadIdx.x ? values[i] : 0;
        total += values[i];
    }
    *all = total;
    return before;
}
