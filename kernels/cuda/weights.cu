// Rows of weights as kernels of tiles want them: those of a convolution from the weights that its positions share,
// times what spikes count, in fewer bits; and what a constant input comes to. All keep the order of the host's
// operations.

// rows[tiles, n_in, 64]: the weight that index says for every row and lane, 0 where it is -1.
extern "C" __global__ void expand_rows(i64 n, const i32* index, const float* packed, float* rows)
{
    const i64 i = global_index();
    if (i < n)
        rows[i] = index[i] < 0 ? 0.0f : packed[index[i]];
}

// rows[tiles, n_in, 64] = weight, times what a spike of each presynaptic neuron counts.
extern "C" __global__ void scale_rows(i64 n, i64 n_in, const float* counts, const float* weight, float* rows)
{
    const i64 i = global_index();
    if (i < n)
        rows[i] = weight[i] * counts[i / TILE % n_in];
}

// total[tiles, n_kinds, 64] = sum of weight times constant input of every row, over those that are inside of each kind
// of border, one after the other. inside: u8[n_kinds, n_in].
extern "C" __global__ void constant_input(
    i64 n, i64 n_in, i64 n_kinds, const double* constant, const u8* inside, const float* weight, double* total)
{
    const i64 i = global_index();
    if (i >= n)
        return;
    const i64 place = i / TILE, tile = place / n_kinds, kind = place % n_kinds;
    const float* own = weight + tile * n_in * TILE + i % TILE;
    double sum = 0.0;
#pragma unroll 8  // so many loads at once
    for (i64 row = 0; row < n_in; row++) {
        const double next = sum + (double)own[row * TILE] * constant[row];
        sum = inside[kind * n_in + row] ? next : sum;
    }
    total[i] = sum;
}

// What drives lane i of drive[tiles * n_patches, 4, 64]: its bias, if there is one, and its tile's constant input with
// the kind of border that its patch has, if there is one.
__device__ inline double given_at(
    i64 i, i64 n_patches, i64 n_kinds, i64 has_bias, i64 has_total, i32 neuron, const i64* kind, const double* bias,
    const double* total)
{
    const i64 place = i / TILE, tile = place / n_patches, patch = place % n_patches;
    const double always = has_bias && neuron >= 0 ? bias[neuron] : 0.0;
    return has_total ? always + total[(tile * n_kinds + kind[patch]) * TILE + i % TILE] : always;
}

// The drive of SRM neurons, see kernels/layout.py: the psp of a constant input is that of the two-state system at rest
// plus a state that decays from the start. rounding: of a potential that is the difference of two large ones.
extern "C" __global__ void drive_srm(
    i64 n, i64 n_patches, i64 n_kinds, i64 has_bias, i64 has_total, double rounding, const i32* neuron, const i64* kind,
    const double* bias, const double* total, const float* constants, float* drive)
{
    const i64 i = global_index();
    if (i >= n)
        return;
    const double given = given_at(i, n_patches, n_kinds, has_bias, has_total, neuron[i], kind, bias, total);
    const double alpha = constants[ALPHA_SYN], gain = constants[GAIN_SYN];
    const double p = gain * given / (1.0 - alpha), q = alpha * p / (1.0 - alpha);
    const bool is_driven = neuron[i] >= 0 && (has_bias || has_total);
    float* own = drive + i / TILE * DRIVE_ROWS * TILE + i % TILE;
    own[BASE * TILE] = neuron[i] < 0 ? MINUS_INFINITY : is_driven ? (float)q : 0.0f;
    own[FIRST_P * TILE] = is_driven ? (float)-p : 0.0f;
    own[FIRST_Q * TILE] = is_driven ? (float)-q : 0.0f;
    own[SLACK * TILE] = is_driven ? (float)(rounding * fabs(q)) : 0.0f;
}

// That of leaky neurons, which add their constant input tick by tick.
extern "C" __global__ void drive_lif(
    i64 n, i64 n_patches, i64 n_kinds, i64 has_bias, i64 has_total, const i32* neuron, const i64* kind,
    const double* bias, const double* total, float* drive)
{
    const i64 i = global_index();
    if (i >= n)
        return;
    const double given = given_at(i, n_patches, n_kinds, has_bias, has_total, neuron[i], kind, bias, total);
    float* own = drive + i / TILE * DRIVE_ROWS * TILE + i % TILE;
    for (i64 row = 0; row < DRIVE_ROWS; row++)
        own[row * TILE] = 0.0f;
    own[EACH_TICK * TILE] = neuron[i] < 0 ? 0.0f : (float)given;
    if (neuron[i] < 0)
        own[BASE * TILE] = MINUS_INFINITY;
}

// What one unit weighs of a lane whose largest weight is `most`, see eventsim/model/precision.py.
__device__ inline float unit_of(float most, bool is_whole)
{
    if (is_whole)
        return most / 127.0f < FLOAT_TINY ? 1.0f : most / 127.0f;
    const i32 bits = __float_as_int(most), exponent = bits == 0 ? -15 : (bits >> 23) - 126 - 15;
    return exponent < -126 ? 1.0f : __int_as_float((exponent + 127) << 23);  // a power of two, but no subnormal one
}

// scale[tiles, 64], what a unit of int8 (where is_whole) or of float16 weighs in each lane; a block of 1024 threads for
// each tile, sixteen for each of its lanes.
extern "C" __global__ void __launch_bounds__(1024) find_scales(
    i64 n_tiles, i64 n_in, i64 is_whole, const float* rows, float* scale)
{
    (void)n_tiles;
    __shared__ float largest[16][TILE];
    const i64 tile = blockIdx.x;
    const int lane = threadIdx.x % TILE, team = threadIdx.x / TILE;
    const float* own = rows + tile * n_in * TILE + lane;
    float most = 0.0f;
    for (i64 row = team; row < n_in; row += 16)
        most = fmaxf(most, fabsf(own[row * TILE]));
    largest[team][lane] = most;
    __syncthreads();
    if (team != 0)
        return;
    for (int other = 1; other < 16; other++)
        most = fmaxf(most, largest[other][lane]);
    scale[tile * TILE + lane] = unit_of(most, is_whole);
}

// The bits of the float16 that is nearest to a number below 65504 in size, of two the even one.
__device__ inline u16 half_of(float x)
{
    const u32 bits = (u32)__float_as_int(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size < 0x38800000)  // below 2^-14 in steps of 2^-24
        return (u16)(sign | (u32)rintf(fabsf(x) * 16777216.0f));
    return (u16)(sign | (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13);
}

// few = rows[tiles, n_in, 64] in units of scale[tiles, 64], rounded to the nearest.
extern "C" __global__ void round_int8(i64 n, i64 n_in, const float* scale, const float* rows, i8* few)
{
    const i64 i = global_index();
    if (i < n)
        few[i] = (i8)rintf(rows[i] / scale[i / TILE / n_in * TILE + i % TILE]);
}

extern "C" __global__ void round_float16(i64 n, i64 n_in, const float* scale, const float* rows, u16* few)
{
    const i64 i = global_index();
    if (i < n)
        few[i] = half_of(rows[i] / scale[i / TILE / n_in * TILE + i % TILE]);
}
