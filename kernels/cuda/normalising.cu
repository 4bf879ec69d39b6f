// Gradients behind stages, and of weights that patches share, from the gradients of the rows of weights: see
// eventsim/engine/normalising.py, whose order of every operation this keeps. D: rows[tiles, n_rows, 64]; Q: what a
// constant input of 1 at a row's presynaptic neuron adds up to, the sum over the kinds of patches in which it is none
// of padding.

struct Constants {
    i64 n_kinds, n_tiles, n_rows;
    const u8* inside;     // [n_kinds, n_rows]
    const double* total;  // [n_kinds, n_tiles, 64]
};

// Q of a place in rows of weights.
__device__ inline double constant_at(const Constants& all, i64 place)
{
    const i64 row = place / TILE % all.n_rows, tile = place / TILE / all.n_rows;
    double sum = 0.0;
    for (i64 kind = 0; kind < all.n_kinds; kind++)
        if (all.inside[kind * all.n_rows + row])
            sum = sum + all.total[(kind * all.n_tiles + tile) * TILE + place % TILE];
    return sum;
}

// total[kinds, n_tiles, 64]: g over time (`sum_over_time`), of all groups of samples and of the patches of every kind.
extern "C" __global__ void sum_by_kind(
    i64 n, i64 n_tiles, i64 n_patches, i64 n_groups, const i64* kind_of, const float* g_sum, double* total)
{
    const i64 own = global_index(), lane = own % TILE, tile = own / TILE % n_tiles, kind = own / TILE / n_tiles;
    if (own >= n)
        return;
    double sum = 0.0;
    for (i64 patch = 0; patch < n_patches; patch++) {
        if (kind_of[patch] != kind)
            continue;
        const i64 at = (tile * n_patches + patch) * TILE + lane;
        float all = g_sum[at];
        for (i64 group = 1; group < n_groups; group++)
            all = all + g_sum[group * n_tiles * n_patches * TILE + at];
        sum = sum + (double)all;
    }
    total[own] = sum;
}

// sums[2, n_tiles, n_rows] of W Q and of W D over the lanes; eight threads a row, each with every eighth lane. weight:
// the rows themselves, or numbers that index[n_tiles, n_rows, 64] says the place of, -1 for none.
extern "C" __global__ void sum_lanes(
    i64 n, i64 n_kinds, i64 n_tiles, i64 n_rows, i64 is_shared, const u8* inside, const double* total,
    const i32* index, const float* weight, const float* rows, double* sums)
{
    const i64 team = global_index() / 8, own = team < n ? team : n - 1;  // a last team shuffles along
    const Constants constants = {n_kinds, n_tiles, n_rows, inside, total};
    double of_constant = 0.0, of_rows = 0.0;
    for (i64 k = 0; k < TILE; k += 8) {
        const i64 place = own * TILE + k + threadIdx.x % 8;
        const i64 at = is_shared ? index[place] : place;
        const double w = at < 0 ? 0.0 : (double)weight[at];
        const double a = w * constant_at(constants, place), b = w * (double)rows[place];
        of_constant = k == 0 ? a : of_constant + a;
        of_rows = k == 0 ? b : of_rows + b;
    }
    for (int distance = 1; distance < 8; distance *= 2) {
        of_constant = of_constant + __shfl_xor_sync(EVERY_LANE, of_constant, distance);
        of_rows = of_rows + __shfl_xor_sync(EVERY_LANE, of_rows, distance);
    }
    if (team < n && threadIdx.x % 8 == 0) {
        sums[own] = of_constant;
        sums[n + own] = of_rows;
    }
}

// What a place in the rows adds to the gradient of its weight behind normalisation: D times what a spike counts there,
// and Q times the constant input.
__device__ inline double normalised(
    const Constants& all, i64 place, const double* scale, const double* constant, const float* rows)
{
    const i64 row = place / TILE % all.n_rows;
    return (double)rows[place] * scale[row] + constant[row] * constant_at(all, place);
}

// Add what rows of a dense layer come to to the gradient of its weights.
extern "C" __global__ void add_normalised(
    i64 n, i64 n_kinds, i64 n_tiles, i64 n_rows, const u8* inside, const double* total, const double* scale,
    const double* constant, const float* rows, float* gradient)
{
    const i64 place = global_index();
    if (place >= n)
        return;
    const Constants constants = {n_kinds, n_tiles, n_rows, inside, total};
    gradient[place] = (float)((double)gradient[place] + normalised(constants, place, scale, constant, rows));
}

// Add the sum over all places of a weight that patches share to its gradient: place_ptr[n + 1], place. Without
// normalisation all spikes count `unit`.
extern "C" __global__ void fold_rows(
    i64 n, i64 n_kinds, i64 n_tiles, i64 n_rows, i64 is_normalised, float unit, const u8* inside, const double* total,
    const double* scale, const double* constant, const i64* place_ptr, const i32* place, const float* rows,
    float* gradient)
{
    const i64 own = global_index();
    if (own >= n)
        return;
    const Constants constants = {n_kinds, n_tiles, n_rows, inside, total};
    double sum = 0.0;
    for (i64 k = place_ptr[own]; k < place_ptr[own + 1]; k++)
        sum = sum + (is_normalised ? normalised(constants, place[k], scale, constant, rows)
                                   : (double)(rows[place[k]] * unit));
    gradient[own] = gradient[own] + (float)sum;
}
