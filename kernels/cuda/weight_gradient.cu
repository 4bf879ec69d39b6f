// The gradient of every weight, which has a thread, as in kernels/cpu/dense_adjoint.py and patch_adjoint.py, and to the
// same bits: g (dense_adjoint.cu) is summed up over spikes, or over time for a constant input. Such a sum goes on one
// term after the other; so that it does not wait for each of them, many are fetched at once. Kernels that say how many
// threads they have get the registers for that: the compiler would rather have more threads.

#define FEW 8  // terms at once, where there are many threads
#define MANY 32  // and where there are few

// What a spike adds: g at its tick.
struct AtTicks {
    typedef float Term;
    const float* g;

    __device__ Term term(i32 row, i64) const { return g[(i64)row * TILE]; }

    __device__ static float add(float total, Term term) { return total + term; }
};

// The same on the exact clock: share[spikes, 2] of g and ramp at the next tick, see `group_times_by_address`. Where
// patches share a row of weights, their sum is added at once.
template <bool IS_PATCHED>
struct BetweenTicks {
    struct Term {
        float of_g, of_ramp;
    };
    const float* g;
    const float* ramp;
    const float* share;

    __device__ Term term(i32 row, i64 k) const
    {
        const i64 place = (i64)row * TILE;
        return {share[2 * k] * g[place], share[2 * k + 1] * ramp[place]};
    }

    __device__ static float add(float total, Term term)
    {
        return IS_PATCHED ? total + (term.of_g + term.of_ramp) : (total + term.of_g) + term.of_ramp;
    }
};

// Add what the spikes first..last-1 of a list add to a total, of which there are AT_ONCE or more. The rows of the next
// ones are fetched while the terms of these are; the last ones are those at the end of the list, so that none of them
// has to be asked whether it is there, and those of them that were added before are left out.
template <int AT_ONCE, class Spikes>
__device__ inline float add_many(float total, const Spikes& spikes, const i32* row, i64 first, i64 last)
{
    typename Spikes::Term term[AT_ONCE];
    i32 next[AT_ONCE];
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++)
        next[i] = row[first + i];
    i64 k = first;
    do {
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++)
            term[i] = spikes.term(next[i], k + i);
        k += AT_ONCE;
        const i32* ahead = row + (k + AT_ONCE <= last ? k : last - AT_ONCE);
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++)
            next[i] = ahead[i];
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++)
            total = Spikes::add(total, term[i]);
    } while (k + AT_ONCE <= last);
    if (k == last)
        return total;
    const int skipped = (int)(k + AT_ONCE - last);
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++)
        term[i] = spikes.term(next[i], last - AT_ONCE + i);
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++)
        total = i >= skipped ? Spikes::add(total, term[i]) : total;
    return total;
}

// The same for any number of spikes, MOST at once.
template <int MOST, class Spikes>
__device__ inline float add_spikes(float total, const Spikes& spikes, const i32* row, i64 first, i64 last)
{
    if (first == last)
        return total;
    if (MOST > FEW && last - first >= MOST)
        return add_many<MOST>(total, spikes, row, first, last);
    if (last - first >= FEW)
        return add_many<FEW>(total, spikes, row, first, last);
    // Too few are fetched at once as well, with the last one again for those that are not there.
    typename Spikes::Term term[FEW - 1];
#pragma unroll
    for (int i = 0; i < FEW - 1; i++) {
        const i64 k = first + i < last ? first + i : last - 1;
        term[i] = spikes.term(row[k], k);
    }
#pragma unroll
    for (int i = 0; i < FEW - 1; i++)
        total = first + i < last ? Spikes::add(total, term[i]) : total;
    return total;
}

// Add n numbers of a column to a total, one after the other, which stand `step` apart.
__device__ inline float add_down(float total, const float* column, i64 step, i64 n)
{
    float term[FEW];
    i64 k = 0;
    for (; k + FEW <= n; k += FEW) {
#pragma unroll
        for (int i = 0; i < FEW; i++)
            term[i] = column[(k + i) * step];
#pragma unroll
        for (int i = 0; i < FEW; i++)
            total = total + term[i];
    }
    if (k == n)
        return total;
#pragma unroll
    for (int i = 0; i < FEW; i++)
        term[i] = column[(k + i < n ? k + i : n - 1) * step];
#pragma unroll
    for (int i = 0; i < FEW; i++)
        total = k + i < n ? total + term[i] : total;
    return total;
}

// Sum up the gradient of weight row `tile * n_in + j` of a dense layer over the spikes of neuron j, and add what the
// blocks of samples piece_first..piece_last-1, which are held, come to, one after the other; an optimiser takes a step
// by that at once, when is_last. row: where the g of every spike stands in that of a tile, which has held_ticks of
// them, see `group_by_address`.
extern "C" __global__ void __launch_bounds__(256) update_weights(
    i64 n_rows, i64 n_in, i64 piece_first, i64 piece_last, i64 held_ticks, i64 is_first, i64 is_last, i64 rule,
    i64 is_timed, const float* settings, const i64* neuron_ptr, const i32* row, const float* share, const float* g,
    const float* ramp, float* weight, float* gradient, float* mean, float* square)
{
    const i64 own = global_index() / TILE, lane = threadIdx.x % TILE;
    if (own >= n_rows)
        return;
    const i64 ticks = own / n_in * held_ticks * TILE + lane, at = own * TILE + lane;
    float total = rule != ADD && is_first ? 0.0f : gradient[at];
    for (i64 piece = piece_first; piece < piece_last; piece++) {
        const i64 list = piece * n_in + own % n_in;
        const i64 first = neuron_ptr[list], last = neuron_ptr[list + 1];
        float change;
        if (is_timed)
            change = add_spikes<FEW>(0.0f, BetweenTicks<false>{g + ticks, ramp + ticks, share}, row, first, last);
        else
            change = add_spikes<FEW>(0.0f, AtTicks{g + ticks}, row, first, last);
        total = total + change;
    }
    if (rule == ADD || !is_last)
        gradient[at] = total;
    else if (rule == ADAM)
        adam(total, settings, &weight[at], &mean[at], &square[at]);
    else if (rule == SGD)
        sgd(total, settings, &weight[at], &mean[at]);
}

// The same sums of a convolution, which has few rows of long lists: a block for each row and piece. The pieces
// piece_first.., which are held, are all or part of the groups of samples group_first.. that the CPU sums up by
// themselves, and part[groups, n_rows, 64], what these came to so far, goes on.
extern "C" __global__ void __launch_bounds__(64) collect(
    i64 n_work, i64 n_rows, i64 n_in, i64 piece_first, i64 group_first, i64 held_ticks, i64 is_timed,
    const i64* neuron_ptr, const i32* row, const float* share, const float* g, const float* ramp, float* part)
{
    (void)n_work;
    const i64 piece = blockIdx.x / n_rows, own = blockIdx.x % n_rows, lane = threadIdx.x;
    const i64 list = (piece_first + piece) * n_in + own % n_in, ticks = own / n_in * held_ticks * TILE + lane;
    const i64 first = neuron_ptr[list], last = neuron_ptr[list + 1];
    float* sum = part + ((group_first + piece) * n_rows + own) * TILE + lane;
    if (is_timed)
        *sum = add_spikes<MANY>(*sum, BetweenTicks<true>{g + ticks, ramp + ticks, share}, row, first, last);
    else
        *sum = add_spikes<MANY>(*sum, AtTicks{g + ticks}, row, first, last);
}

// part[samples, n_tiles, 64], g over time of every sample that is held. On the exact clock, is_timed, the integral of
// what g and ramp count between ticks: integral[2] is that over a tick.
extern "C" __global__ void __launch_bounds__(TILE, 1) sum_over_time(
    i64 n_items, i64 n_tiles, i64 n_ticks, i64 is_timed, const float* integral, const float* g, const float* ramp,
    float* part)
{
    const i64 item = blockIdx.x, n_held = n_items / n_tiles, lane = threadIdx.x;
    const i64 own = item * n_ticks * TILE + lane, next = own + TILE;
    float total;
    if (is_timed && n_ticks > 0)
        total = integral[0] * add_down(0.0f, g + next, TILE, n_ticks - 1)
            + integral[1] * add_down(0.0f, ramp + next, TILE, n_ticks - 1);
    else
        total = add_down(0.0f, g + own, TILE, n_ticks);
    part[(item % n_held * n_tiles + item / n_held) * TILE + lane] = total;
}

// Add part[parts, n_rows, 64] to total[groups, n_rows, 64], to each group one after the other the parts
// group_first[group]..group_first[group + 1]-1, as far as they are among part_first..part_last-1, which are there.
extern "C" __global__ void __launch_bounds__(256, 1) add_parts(
    i64 n, i64 n_rows, i64 part_first, i64 part_last, const i64* group_first, const float* part, float* total)
{
    const i64 k = global_index(), size = n_rows * TILE, group = k / size;
    if (k >= n)
        return;
    const i64 first = group_first[group] > part_first ? group_first[group] : part_first;
    const i64 last = group_first[group + 1] < part_last ? group_first[group + 1] : part_last;
    if (first < last)
        total[k] = add_down(total[k], part + (first - part_first) * size + k % size, size, last - first);
}
