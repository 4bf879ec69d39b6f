// Leaky integrators, which never spike: what is read of their potentials, float64; see kernels/cpu/readout.py. A block
// of 64 threads for every item, one list in one tile of 64 neurons.

template <class Weight>
__device__ inline void sums(
    i64 n_lists, i64 n_in, const Weight* weight, const float* gain, const i64* run_base, const i64* run_count,
    const i32* run_tick, const i64* run_start, const i32* address, const double* share, double* score)
{
    const i64 item = blockIdx.x, tile = item / n_lists, list = item % n_lists;
    const Weight* rows = weight + tile * n_in * TILE;
    double total = 0.0;
    for (i64 run = run_base[list]; run < run_base[list] + run_count[list]; run++) {
        const float sum = sum_rows(rows, address, run_start[run], run_start[run + 1]);
        const float given = gain[tile * TILE + threadIdx.x] * sum;
        total = fma(share[run_tick[run]], (double)given, total);
    }
    score[item * TILE + threadIdx.x] = total;
}

// What is linear in the input: share[n_ticks] is what a unit of input in each tick adds to score[items, 64].
#define READ_SUMS(NAME, WEIGHT)                                                                                        \
    extern "C" __global__ void NAME(                                                                                   \
        i64 n_items, i64 n_lists, i64 n_in, const WEIGHT* weight, const float* gain, const i64* run_base,              \
        const i64* run_count, const i32* run_tick, const i64* run_start, const i32* address, const double* share,      \
        double* score)                                                                                                 \
    {                                                                                                                  \
        (void)n_items;                                                                                                 \
        sums(n_lists, n_in, weight, gain, run_base, run_count, run_tick, run_start, address, share, score);            \
    }

READ_SUMS(read_sums, float)
READ_SUMS(read_sums_int8, i8)
READ_SUMS(read_sums_float16, u16)

// A potential, its largest value so far, and the first tick or time that had it.
struct Peak {
    double v, best, when;

    __device__ void look(double now)
    {
        if (!(best >= v))
            when = now;
        best = v > best ? v : best;
    }
};

template <class Weight>
__device__ inline void peaks(
    i64 n_lists, i64 n_in, i64 n_batch, i64 n_ticks, const double* held, const double* risen, const Weight* weight,
    const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start,
    const i32* address, const double* each, double* score, double* when)
{
    const i64 item = blockIdx.x, tile = item / n_lists, list = item % n_lists;
    const Weight* rows = weight + tile * n_in * TILE;
    const double constant = each[(tile * (n_lists / n_batch) + list / n_batch) * TILE + threadIdx.x];
    Peak own = {0.0, (double)MINUS_INFINITY, 0.0};
    const i64 end = run_base[list] + run_count[list];
    i64 last = -1;
    for (i64 run = run_base[list]; run <= end; run++) {
        const i64 now = run < end ? run_tick[run] : n_ticks, silence = now - last - 1;
        if (silence > 0) {  // potentials move one way in it, so its ends are looked at
            const double v = own.v;
            if (last < 0) {
                own.v = held[1] * v + risen[1] * constant;
                own.look(0.0);
            }
            own.v = held[silence] * v + risen[silence] * constant;
            own.look((double)(now - 1));
        }
        if (run < end) {
            const float given = sum_rows(rows, address, run_start[run], run_start[run + 1]);
            own.v = (held[1] * own.v + risen[1] * constant) + (double)(gain[tile * TILE + threadIdx.x] * given);
            own.look((double)now);
            last = now;
        }
    }
    score[item * TILE + threadIdx.x] = own.best;
    when[item * TILE + threadIdx.x] = own.when;
}

// The largest potential of any tick, and the first that has it. held, risen: float64[n_ticks + 1], what a potential
// keeps in so many ticks, and what a constant input of 1 in each adds; each: float64[places, 64], the constant input.
#define READ_PEAKS(NAME, WEIGHT)                                                                                       \
    extern "C" __global__ void NAME(                                                                                   \
        i64 n_items, i64 n_lists, i64 n_in, i64 n_batch, i64 n_ticks, const double* held, const double* risen,         \
        const WEIGHT* weight, const float* gain, const i64* run_base, const i64* run_count, const i32* run_tick,       \
        const i64* run_start, const i32* address, const double* each, double* score, double* when)                     \
    {                                                                                                                  \
        (void)n_items;                                                                                                 \
        peaks(n_lists, n_in, n_batch, n_ticks, held, risen, weight, gain, run_base, run_count, run_tick, run_start,    \
              address, each, score, when);                                                                             \
    }

READ_PEAKS(read_peaks, float)
READ_PEAKS(read_peaks_int8, i8)
READ_PEAKS(read_peaks_float16, u16)

// What a unit of input so many ms before the end adds to the last potential, or to the mean over `end` ms; tau may be
// infinite. See `LI.share_at`.
__device__ inline double share_of(double left, double tau, double end, bool is_mean)
{
    if (!is_mean)
        return exp(-left / tau);
    return (tau < NO_TIME ? -tau * expm1(-left / tau) : left) / end;
}

// `read_sums` in continuous time: sample_ptr[lists + 1], address and time are rows and when they arrive.
extern "C" __global__ void read_time_sums(
    i64 n_items, i64 n_lists, i64 n_in, i64 is_mean, double tau, double end, const float* weight, const i64* sample_ptr,
    const i32* address, const double* time, double* score)
{
    (void)n_items;
    const i64 item = blockIdx.x, list = item % n_lists, last = sample_ptr[list + 1];
    const float* rows = weight + item / n_lists * n_in * TILE;
    double total = 0.0;
    for (i64 k = sample_ptr[list]; k < last;) {
        const double now = time[k];
        const i64 following = first_after(now, k, last, time);
        total = fma(share_of(end - now, tau, end, is_mean), (double)sum_rows(rows, address, k, following), total);
        k = following;
    }
    score[item * TILE + threadIdx.x] = total;
}

// v after so many ms without input, with `each` as constant input, of which 1 comes to `held` in the end.
__device__ inline double rested(double v, double span, double rate, double held, double each)
{
    if (rate == 0.0)
        return v + span * each;
    return exp(-rate * span) * v + -expm1(-rate * span) * held * each;
}

// `read_peaks` in continuous time, up to `end` ms: an arrival is looked at from both sides.
extern "C" __global__ void read_time_peaks(
    i64 n_items, i64 n_lists, i64 n_in, i64 n_batch, double end, double rate, double held, const float* weight,
    const i64* sample_ptr, const i32* address, const double* time, const double* each, double* score, double* when)
{
    (void)n_items;
    const i64 item = blockIdx.x, tile = item / n_lists, list = item % n_lists, stop = sample_ptr[list + 1];
    const float* rows = weight + tile * n_in * TILE;
    const double constant = each[(tile * (n_lists / n_batch) + list / n_batch) * TILE + threadIdx.x];
    Peak own = {0.0, (double)MINUS_INFINITY, 0.0};
    double last = 0.0;
    for (i64 k = sample_ptr[list];;) {
        const double now = k < stop ? time[k] : end;
        if (now - last > 0.0) {  // potentials move one way in a silence, so its ends are looked at
            if (last == 0.0)
                own.look(0.0);
            own.v = rested(own.v, now - last, rate, held, constant);
            own.look(now);
        }
        if (k == stop)
            break;
        const i64 following = first_after(now, k, stop, time);
        own.v = own.v + (double)sum_rows(rows, address, k, following);
        own.look(now);
        k = following;
        last = now;
    }
    score[item * TILE + threadIdx.x] = own.best;
    when[item * TILE + threadIdx.x] = own.when;
}
