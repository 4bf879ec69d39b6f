// Reading rows and nothing else: how fast the caches and the memory are that the other kernels are held against.

#define ROWS_AT_ONCE 4

// total[n_parts * 4, 64] = the sums of every n_parts * 4-th of the rows of 64, read so many times over; a block for
// each part, with 64 threads for each of the four rows that it reads at once. Nothing comes from the first-level
// caches, which together hold as much as half of the second.
extern "C" __global__ void read_rows(i64 n_parts, i64 n_rows, i64 repeats, const float* rows, float* total)
{
    const i64 first = (i64)blockIdx.x * ROWS_AT_ONCE + threadIdx.x / TILE, stride = n_parts * ROWS_AT_ONCE;
    const i64 lane = threadIdx.x % TILE;
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;  // four loads under way at once
    for (i64 k = 0; k < repeats; k++) {
        i64 row = first;
        for (; row + 3 * stride < n_rows; row += 4 * stride) {
            a = a + __ldcg(&rows[row * TILE + lane]);
            b = b + __ldcg(&rows[(row + stride) * TILE + lane]);
            c = c + __ldcg(&rows[(row + 2 * stride) * TILE + lane]);
            d = d + __ldcg(&rows[(row + 3 * stride) * TILE + lane]);
        }
        for (; row < n_rows; row += stride)
            a = a + __ldcg(&rows[row * TILE + lane]);
    }
    total[first * TILE + lane] = ((a + b) + c) + d;
}
