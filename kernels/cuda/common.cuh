// Types, and where a thread stands. The constants of kernels/layout.py are put before this text.

typedef signed char i8;
typedef unsigned char u8;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

#define WARP 32
#define EVERY_LANE 0xffffffffu
#define MINUS_INFINITY __int_as_float((i32)0xff800000u)
#define FLOAT_TINY __int_as_float(0x00800000)  // the smallest that is not subnormal

// The number of this thread among all of the launch. In 64 bits: the product of two unsigned ints would wrap.
__device__ __forceinline__ i64 global_index()
{
    return (i64)blockIdx.x * (i64)blockDim.x + (i64)threadIdx.x;
}

// Shell sort of values[0..n-1] in place, as kernels/cpu/bin.py does.
__device__ inline void sort(i32* values, i64 n)
{
    i64 gap = 1;
    while (gap < n / 9)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (i64 i = gap; i < n; i++) {
            const i32 value = values[i];
            i64 j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap)
                values[j] = values[j - gap];
            values[j] = value;
        }
}
