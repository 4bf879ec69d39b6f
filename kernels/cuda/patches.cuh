// Where a presynaptic neuron stands in a patch of a convolution, as `Patches.row_of` has it.

struct Geometry {
    i64 n_pixels, width, padding, across, step_down, step_across, rows_in, columns_in;
    const u8* has_tap;  // [rows_in * columns_in], whether any window of a patch looks at a pixel of it
};

// The row of a patch's weights that an address is, or -1 where no window of the patch looks at it.
__device__ inline i64 row_of(const Geometry& at, i64 patch, i64 address)
{
    const i64 channel = address / at.n_pixels, pixel = address % at.n_pixels;
    const i64 y = pixel / at.width + at.padding - patch / at.across * at.step_down;
    const i64 x = pixel % at.width + at.padding - patch % at.across * at.step_across;
    if (y < 0 || y >= at.rows_in || x < 0 || x >= at.columns_in || !at.has_tap[y * at.columns_in + x])
        return -1;
    return (channel * at.rows_in + y) * at.columns_in + x;
}
