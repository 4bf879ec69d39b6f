// A layer of SRM neurons in continuous time, forward: the tile sweep of kernels/cpu/exact.py, window by window, whose order
// of every operation this keeps. A block of 64 threads for every item, one sample in one tile of 64 neurons; items are
// numbered tile * n_samples + sample. Neurons of a tile have windows and rows in common and nothing else, so that no
// thread waits for another.

#define BOUND_ROUNDING 4e-6f
#define BOUND_SHRINK ((float)(1.0 - 4e-7))

// The input of a sample, cut into windows: see `cut_windows` and `fill_windows` in kernels/cpu/windows.py.
struct SrmWindows {
    const i32* address;
    const i64 *base, *count;
    const double* columns;
    const i64* event;
    const i32* window_address;
    const double* coefficient;
    const float* upper;
};

struct SrmNeuron : TimedNeuron {
    double a, b;        // psp at the time up to which it was run
    double c, d;        // refractory response at its last spike
    float response[2];  // a copy of the response that is not below it, at the time up to which it was run

    // Before any input.
    __device__ SrmNeuron(const TimedNeuron& own, const double* constants)
        : TimedNeuron(own), a(start(constants)), b(a * constants[EXACT_LAM]), c(0.0), d(0.0), response{0.0f, 0.0f}
    {
    }
};

// The most that a psp can reach in a window by itself.
__device__ inline float psp_bound(double a, double b, const double* window, double lam)
{
    if (lam * window[LENGTH] <= 1.0) {
        const double rise = larger(fma(a, -lam, larger(b, 0.0)), 0.0);
        return (float)fma(rise, window[CLIMB], a);
    }
    return (float)fma(larger(b, 0.0), 1.0 / (EULER * lam), larger(a, 0.0));
}

// Take the float32 refractory response over a window; returns the largest that it is in it.
__device__ inline float step_response(float* response, const double* window)
{
    const float c = response[0], d = response[1], fall = (float)window[FALL_REF] * BOUND_SHRINK;
    const float then = fmaf(d, (float)window[LENGTH], c) * fall;
    response[0] = then;
    response[1] = d * fall;
    return c > then ? c : then;
}

// Replace eight numbers by sums of the first, the first two, ...
__device__ __forceinline__ void running_sums(double* values)
{
    for (int distance = 1; distance < SEGMENTS; distance *= 2)
        for (int k = SEGMENTS - 1; k >= 0; k--)
            values[k] = values[k] + (k >= distance ? values[k - distance] : 0.0);
}

// The bits of the segments in which a neuron may cross; a and b of all eight in the arrays.
__device__ inline u32 doubtful_segments(
    const SrmNeuron& n, double origin, double awake, double lift, const double* window, const i32* window_address,
    double lam, double enough, double* a, double* b)
{
    for (int k = 0; k < SEGMENTS; k++) {
        b[k] = (double)n.rows[(i64)window_address[k] * TILE] * window[SEGMENT_KICK + k];
        a[k] = b[k] * window[SEGMENT_TIME + k];
    }
    running_sums(a);
    running_sums(b);
    const bool is_short = lam * window[LENGTH] <= 1.0;
    u32 doubtful = 0;
    for (int k = 0; k < SEGMENTS; k++) {
        const double begin = window[SEGMENT_TIME + k], end = window[SEGMENT_TIME + k + 1];
        b[k] = n.b + b[k];
        a[k] = n.a - a[k];
        const double fall = window[SEGMENT_FALL + k], psp = fma(b[k], begin, a[k]) * fall, slope = b[k] * fall;
        const double top = is_short
            ? fma(larger(larger(slope, 0.0) - lam * psp, 0.0), end - begin, psp)
            : fma(larger(slope, 0.0), 1.0 / (EULER * lam), larger(psp, 0.0));
        const double now = fma(n.d, begin - origin, n.c) * window[SEGMENT_FALL_REF + k] * lift;
        const double then = fma(n.d, end - origin, n.c) * window[SEGMENT_FALL_REF + k + 1] * lift;
        if (top + larger(now, then) >= enough && !(awake >= end))
            doubtful |= 1u << k;
    }
    return doubtful;
}

// Run a neuron through a window, segment by segment; its psp is still that of the window's begin.
__device__ inline void run_lane(SrmNeuron& n, const double* window, const i32* window_address, const double* constants)
{
    const double lam = constants[EXACT_LAM], mu = constants[EXACT_MU], theta = n.theta;
    const double begin = window[WINDOW_BEGIN], stop = window[LENGTH];
    const double enough = theta - BOUND_MARGIN * (constants[EXACT_THETA] + fabs(theta));
    double origin = n.spike - begin, awake = origin + constants[EXACT_DEAD];
    const double lift = exp(mu * origin);
    double a_of[SEGMENTS], b_of[SEGMENTS], c = n.c, d = n.d, spike = n.spike;
    u32 todo = doubtful_segments(n, origin, awake, lift, window, window_address, lam, enough, a_of, b_of);
    const i64 first_spike = n.spikes;
    while (todo != 0) {
        const int q = __ffs(todo) - 1;
        double s = window[SEGMENT_TIME + q], e = window[SEGMENT_FALL + q], m = window[SEGMENT_FALL_REF + q] * lift;
        const double x = window[SEGMENT_TIME + q + 1], e_end = window[SEGMENT_FALL + q + 1], a = a_of[q], b = b_of[q];
        double m_end = window[SEGMENT_FALL_REF + q + 1] * lift;
        if (origin > 0.0) {
            if (origin > s) {
                s = origin;
                e = exp(-lam * origin);
            }
            m = exp(-mu * (s - origin));
            m_end = exp(-mu * (x - origin));
        }
        const Potential u = {(a + b * s) * e, b * e, (c + d * (s - origin)) * m, d * m, lam, mu};
        const double u_now = u.a + u.c, length = x - s;
        const double psp_end = (a + b * x) * e_end, then = (c + d * (x - origin)) * m_end, u_end = psp_end + then;
        const double turn = bend_of(length, u) * length, rise = u.b - lam * u.a + u.d - mu * u.c;
        double found = NO_TIME, since_ref = 1.0;
        if (awake > s || (u_now < theta && rise <= turn)) {
            if (awake > s || u_now + (larger(rise, 0.0) + 0.5 * turn) * length >= theta) {
                found = crossing_before(larger(0.0, awake - s), length, u, theta);
                since_ref = exp(-mu * found);
            }
        } else if (u_now >= theta) {
            found = 0.0;
        } else if (u_end >= theta) {
            const double rise_end = b * e_end - lam * psp_end + d * m_end - mu * then;
            found = rising_root(0.0, length, u_now, u_end, rise, rise_end, u, theta, &since_ref);
        }
        if (!(found < length)) {
            todo &= todo - 1;
            continue;
        }
        spike = begin + s + found;
        if (spike >= window[WINDOW_END])
            spike = nextafter(window[WINDOW_END], -NO_TIME);
        n.put(spike);
        c = (u.c + u.d * found) * since_ref;
        d = u.d * since_ref + constants[EXACT_RECOIL];
        origin = s + found;
        awake = origin + constants[EXACT_DEAD];
        while (todo != 0 && window[SEGMENT_TIME + __ffs(todo)] <= awake)
            todo &= todo - 1;
    }
    if (n.spikes == first_spike)
        return;
    n.c = c;
    n.d = d;
    n.spike = spike;
    const double m = exp(-mu * (stop - origin));
    n.response[0] = (float)((c + d * (stop - origin)) * m) * BOUND_SHRINK;
    n.response[1] = (float)(d * m) * BOUND_SHRINK;
}

// Take a neuron over window w.
__device__ inline void sweep_window(SrmNeuron& n, const SrmWindows& given, i64 w, const double* constants)
{
    const double* window = given.columns + w * WINDOW_COLUMNS;
    float bound = psp_bound(n.a, n.b, window, constants[EXACT_LAM]);
    bound = fmaf(fabsf(bound), BOUND_ROUNDING, bound) + step_response(n.response, window);
    double a = fma(n.b, window[LENGTH], n.a) * window[FALL], b = n.b * window[FALL];
    for (i64 k = given.event[w]; k < given.event[w + 1]; k++) {
        const float row = n.rows[(i64)given.address[k] * TILE];
        bound = fmaf(row > 0.0f ? row : 0.0f, given.upper[k], bound);
        a = fma((double)row, given.coefficient[2 * k], a);
        b = fma((double)row, given.coefficient[2 * k + 1], b);
    }
    // Not bound > least: what left float32 and is no number any more must not be left out.
    if (!(n.least >= bound) && n.theta < NO_TIME) {
        n.singles++;
        run_lane(n, window, given.window_address + w * SEGMENTS, constants);
    }
    n.a = a;
    n.b = b;
}

// Spikes of all items over all their windows. theta, least[tiles, 64]: see kernels/cpu/exact.py; spike_ptr[items * 64 + 1]:
// where there is room for the spikes of every lane. spike_count[items, 64]: how many there are, of which as many as there
// is room for are written; singles[items, 64]: windows in which a lane was run one event at a time.
extern "C" __global__ void exact_forward(
    i64 n_items, i64 n_samples, i64 n_in, const float* weight, const double* theta, const float* least,
    const i32* address, const i64* window_base, const i64* window_count, const double* window, const i64* window_event,
    const i32* window_address, const double* coefficient, const float* upper, const double* constants,
    const i64* spike_ptr, i64* spike_count, i64* singles, double* spike_time)
{
    (void)n_items;
    const SrmWindows given = {
        address, window_base, window_count, window, window_event, window_address, coefficient, upper};
    SrmNeuron n(TimedNeuron(n_samples, n_in, weight, theta, least, spike_ptr, spike_time), constants);
    const i64 sample = blockIdx.x % n_samples, own = (i64)blockIdx.x * TILE + threadIdx.x;
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++)
        sweep_window(n, given, w, constants);
    spike_count[own] = n.spikes;
    singles[own] = n.singles;
}

// What a neuron's potential is at the ticks, see `exact_forward_active`.
struct Sampled {
    float c, d;  // refractory response at the last tick

    // The potential of the tick at t; the tick before was at `since`. Whether it may be active, in *is_awake.
    __device__ float at_tick(
        const SrmNeuron& n, double t, double since, float fall, const double* constants, bool* is_awake)
    {
        const bool earlier = since >= n.spike, lately = n.spike >= since;
        const float now = fmaf(d, (float)(t - since), c) * fall;
        // A response is rounded towards the safe side in every window, so it is taken up only where a spike came to it.
        d = lately ? n.response[1] : d * fall;
        c = lately ? n.response[0] : now;
        *is_awake = t >= n.spike + constants[EXACT_DEAD] || !earlier;
        // A spike on the very tick before was fired after that tick was sampled.
        return (float)(n.a + (constants[EXACT_THETA] - n.theta)) + (earlier && lately ? n.response[0] : now);
    }
};

// `exact_forward` whose windows end on every tick of dt ms, and that keeps what rho is of the potentials of the ticks
// where they are active, u_low <= u < u_high, as `dense_forward_active` does. A potential has in it the response to all
// spikes up to the tick before, and a neuron is left out in the ticks of its dead time after the one in which it
// spiked.
extern "C" __global__ void exact_forward_active(
    i64 n_items, i64 n_samples, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room, i64 pair_room,
    double dt, float u_low, float u_high, float rho_width, float rho_peak, const float* weight, const double* theta,
    const float* least, const i32* address, const i64* window_base, const i64* window_count,
    const double* window, const i64* window_event, const i32* window_address, const double* coefficient,
    const float* upper, const double* constants, const i64* spike_ptr, i64* spike_count, i64* singles,
    double* spike_time, u64* used, i64* entry_place, i64* pair_place, i64* block_entries, i64* block_pairs,
    u8* is_short, u8* entry_lane, u64* entry_ticks, float* rho)
{
    (void)n_items;
    const ChunkLists lists = {
        is_again, entry_room, pair_room, rho_width, rho_peak, used, entry_place, pair_place, block_entries, block_pairs,
        is_short, entry_lane, entry_ticks, rho};
    if (is_done(lists, blockIdx.x))
        return;
    OwnChunk chunk(lists, blockIdx.x, n_ticks, (float)constants[EXACT_THETA]);
    const SrmWindows given = {
        address, window_base, window_count, window, window_event, window_address, coefficient, upper};
    SrmNeuron n(TimedNeuron(n_samples, n_in, weight, theta, least, spike_ptr, spike_time), constants);
    const i64 item = blockIdx.x, sample = item % n_samples, own = item * TILE + threadIdx.x;
    const float fall = (float)exp(-constants[EXACT_MU] * dt);
    const bool is_neuron = n.theta < NO_TIME, rests = is_neuron && u_low <= 0.0f && 0.0f < u_high;
    Sampled sampled = {0.0f, 0.0f};
    if (n_ticks > 0)
        chunk.keep(0, 0.0f, rests);
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++) {
        sweep_window(n, given, w, constants);
        const i64 tick = (i64)window[w * WINDOW_COLUMNS + AT_TICK];
        if (tick < 0 || tick >= n_ticks)
            continue;
        bool is_awake;
        const float now = sampled.at_tick(
            n, window[w * WINDOW_COLUMNS + WINDOW_END], (double)(tick - 1) * dt, fall, constants, &is_awake);
        chunk.keep(tick, now, is_neuron && now >= u_low && !(now >= u_high) && is_awake);
    }
    chunk.close();
    spike_count[own] = n.spikes;
    singles[own] = n.singles;
}

// The spikes of all lanes, item by item, lane behind lane: from spike_ptr[lanes + 1], where there was room for them, to
// list_ptr[lanes + 1]. neuron[tiles, 64]: whose they are.
extern "C" __global__ void list_times(
    i64 n_lanes, i64 n_samples, const i32* neuron, const i64* spike_ptr, const i64* list_ptr, const double* spike_time,
    double* time, i32* address)
{
    const i64 own = global_index();
    if (own >= n_lanes)
        return;
    for (i64 k = list_ptr[own]; k < list_ptr[own + 1]; k++) {
        time[k] = spike_time[spike_ptr[own] + k - list_ptr[own]];
        address[k] = neuron[own / TILE / n_samples * TILE + own % TILE];
    }
}
