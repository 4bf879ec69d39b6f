// SRM neurons in continuous time: the sweep of kernels/cpu/exact.py, window by window, whose order of every operation
// this keeps. Neurons of a tile have windows and rows in common and nothing else, so that no thread waits for another.

#define BOUND_ROUNDING 4e-6f
#define BOUND_SHRINK ((float)(1.0 - 4e-7))

#define MOST_EVENTS (SEGMENTS - 1)

// A window of a sample, see kernels/cpu/windows.py: its columns, and what its events add.
struct SrmWindow {
    const double* columns;
    int n_events;
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

// Take the float32 refractory response over so many ms, in which it falls to a share; returns the largest that it is.
__device__ inline float step_response(float* response, double length, double fall_ref)
{
    const float c = response[0], d = response[1], fall = (float)fall_ref * BOUND_SHRINK;
    const float then = fmaf(d, (float)length, c) * fall;
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
    const SrmNeuron& n, double origin, double awake, double lift, const double* window, const float* row, double lam,
    double enough, double* a, double* b)
{
    for (int k = 0; k < SEGMENTS; k++) {
        b[k] = k > 0 ? (double)row[k - 1] * window[SEGMENT_KICK + k] : 0.0;
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

// Run a neuron through a window, segment by segment; its psp is still that of the window's begin. row: see
// `fetch_rows`.
__device__ inline void run_lane(SrmNeuron& n, const double* window, const float* row, const double* constants)
{
    const double lam = constants[EXACT_LAM], mu = constants[EXACT_MU], theta = n.theta;
    const double begin = window[WINDOW_BEGIN], stop = window[LENGTH];
    const double enough = theta - BOUND_MARGIN * (constants[EXACT_THETA] + fabs(theta));
    double origin = n.spike - begin, awake = origin + constants[EXACT_DEAD];
    const double lift = exp(mu * origin);
    double a_of[SEGMENTS], b_of[SEGMENTS], c = n.c, d = n.d, spike = n.spike;
    u32 todo = doubtful_segments(n, origin, awake, lift, window, row, lam, enough, a_of, b_of);
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

// A neuron's weights for the events of a window, and 0 beyond: all at once, so that they are waited for together.
__device__ __forceinline__ void fetch_rows(const SrmNeuron& n, const i32* address, int n_events, float* row)
{
    for (int k = 0; k < MOST_EVENTS; k++)
        row[k] = k < n_events ? n.rows[(i64)address[k] * TILE] : 0.0f;
}

// Take a neuron over a window with these weights for its events.
__device__ inline void sweep_window(SrmNeuron& n, const SrmWindow& given, const float* row, const double* constants)
{
    const double* window = given.columns;
    float bound = psp_bound(n.a, n.b, window, constants[EXACT_LAM]);
    bound = fmaf(fabsf(bound), BOUND_ROUNDING, bound) + step_response(n.response, window[LENGTH], window[FALL_REF]);
    double a = fma(n.b, window[LENGTH], n.a) * window[FALL], b = n.b * window[FALL];
    for (int k = 0; k < MOST_EVENTS; k++)
        if (k < given.n_events) {
            bound = fmaf(row[k] > 0.0f ? row[k] : 0.0f, given.upper[k], bound);
            a = fma((double)row[k], given.coefficient[2 * k], a);
            b = fma((double)row[k], given.coefficient[2 * k + 1], b);
        }
    // Not bound > least: what left float32 and is no number any more must not be left out.
    if (!(n.least >= bound) && n.theta < NO_TIME) {
        n.singles++;
        run_lane(n, window, row, constants);
    }
    n.a = a;
    n.b = b;
}

// What a neuron's potential is at the ticks, see `exact_forward_active`.
struct Sampled {
    double at;   // the last tick that it was asked for, in ms
    float c, d;  // refractory response there

    // The potential of the tick at t; the tick before was at `since`, which is `at` unless the tile was at rest, and
    // the response falls to a share from there on. Whether it may be active, in *is_awake.
    __device__ float at_tick(
        const SrmNeuron& n, double t, double since, float fall, const double* constants, bool* is_awake)
    {
        const bool earlier = since >= n.spike, lately = n.spike >= at;
        const float now = fmaf(d, (float)(t - at), c) * fall;
        // A response is rounded towards the safe side in every window, so it is taken up only where a spike came to it.
        d = lately ? n.response[1] : d * fall;
        c = lately ? n.response[0] : now;
        at = t;
        *is_awake = t >= n.spike + constants[EXACT_DEAD] || !earlier;
        // A spike on the very tick before was fired after that tick was sampled.
        return (float)(n.a + (constants[EXACT_THETA] - n.theta)) + (earlier && lately ? n.response[0] : now);
    }
};
