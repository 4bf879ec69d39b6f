// Leaky integrate-and-fire neurons in continuous time: the sweep of kernels/cpu/lif_sweep.py, window by window, whose
// order of every operation this keeps.

#define NO_TICK -1.0

// A window of a sample, cut into steps: see kernels/cpu/lif_windows.py. event[step]: its first event, and one behind
// the last step's; what events address, add and at most do stands by their numbers.
struct LifWindow {
    const double *columns, *step;
    i64 n_steps;
    const i64* event;
    const i32* address;
    const double* coefficient;
    const float* upper;
};

struct LifNeuron : TimedNeuron {
    double v, i;    // potential and current at the time up to which it was run
    double undone;  // what resets since the last tick took off the potential of the next one

    // Before any input, at a potential of 0.
    __device__ LifNeuron(const TimedNeuron& own, const double* constants)
        : TimedNeuron(own), v(start(constants)), i(has_current(constants) ? v : 0.0), undone(0.0)
    {
    }
};

// Where u reaches theta in [low, high], over which it rises to it; the later end of the last bracket.
__device__ inline double rise(double low, double high, const Potential& u, double theta)
{
    for (int k = 0; k < CROSSING_STEPS; k++) {
        const double middle = 0.5 * (low + high);
        if (!(low < middle && middle < high))
            break;
        if (u.at(middle) >= theta)
            high = middle;
        else
            low = middle;
    }
    return high;
}

// First s >= start at which (a + b s) exp(-lam s) + c exp(-mu s) is at theta, or infinity.
__device__ inline double lif_crossing(
    double start, double a, double b, double c, double lam, double mu, double theta)
{
    if (b != 0.0) {
        const Potential one = {a, b, 0.0, 0.0, lam, lam};
        return first_crossing(start, one, theta);
    }
    const Potential u = {a, 0.0, c, 0.0, lam, mu};
    if (u.at(start) >= theta)
        return start;
    if (lam * a * c < 0.0 && lam != mu) {
        const double turn = log(-mu * c / (lam * a)) / (mu - lam);
        if (turn > start) {
            if (u.at(turn) >= theta)
                return rise(start, turn, u, theta);
            start = turn;
        }
    }
    if ((lam == 0.0 ? a : 0.0) <= theta)
        return NO_TIME;
    double length = lam == 0.0 ? 1.0 / mu : 1.0 / lam;
    while (u.at(start + length) < theta)
        length *= 2.0;
    return rise(start, start + length, u, theta);
}

struct Crossing {
    double found, v, fade;
};

// First s in [wait, length) at which a potential reaches theta, or infinity; and the potential and fade there. It is v
// and has the current i at 0, and is v_end at `length`, where the current has fallen to a share of fade_end.
__device__ inline Crossing crossing(
    double wait, double length, double v, double i, double v_end, double fade_end, double theta,
    const double* constants)
{
    const double lam = constants[EXACT_LAM], mu = constants[EXACT_MU];
    double now = v, fade = 1.0;
    if (wait > 0.0) {
        now = v * exp(-lam * wait) + i * feed(wait, constants);
        fade = exp(-mu * wait);
    }
    if (now >= theta)
        return {wait, now, fade};
    const double drive = i * (constants[EXACT_KICK_B] + constants[EXACT_KICK_C] * (lam - mu));
    const double slope = drive * fade - lam * now, slope_end = drive * fade_end - lam * v_end;
    if (v_end < theta && !(slope > 0.0 && 0.0 > slope_end))
        return {NO_TIME, now, fade};
    const double a = v + constants[EXACT_KICK] * i, b = constants[EXACT_KICK_B] * i, c = constants[EXACT_KICK_C] * i;
    if (v_end < theta) {
        const double s = lif_crossing(wait, a, b, c, lam, mu, theta);
        return {s < length ? s : NO_TIME, theta, exp(-mu * s)};
    }
    const Potential u = {a, b, c, 0.0, lam, mu};
    const double s = rising_root(wait, length, now, v_end, slope, slope_end, u, theta, &fade);
    return {s, theta, fade};
}

// Sum of the weights of the events first..last-1, one after the other, of which four are waited for together.
__device__ inline double arriving(const LifNeuron& n, const i32* address, i64 first, i64 last)
{
    double total = 0.0;
    i64 k = first;
    for (; k + 4 <= last; k += 4) {
        const float a = n.rows[(i64)address[k] * TILE], b = n.rows[(i64)address[k + 1] * TILE];
        const float c = n.rows[(i64)address[k + 2] * TILE], d = n.rows[(i64)address[k + 3] * TILE];
        total = (((total + (double)a) + (double)b) + (double)c) + (double)d;
    }
    for (; k < last; k++)
        total = total + (double)n.rows[(i64)address[k] * TILE];
    return total;
}

// Run a neuron through the steps of a window, which it begins with v and i; next_tick: ms, of the tick after the
// window's begin, for which resets are put down, or NO_TICK.
__device__ inline void run_lane(
    LifNeuron& n, const LifWindow& given, double v, double i, bool with_current, double next_tick,
    const double* constants)
{
    const double lam = constants[EXACT_LAM], dead = constants[EXACT_DEAD], theta = n.theta;
    const double enough = theta - BOUND_MARGIN * (constants[EXACT_THETA] + fabs(theta));
    const double* window = given.columns;
    const i64 first = n.spikes;
    for (i64 s = 0; s < given.n_steps; s++) {
        const double* step = given.step + s * STEP_COLUMNS;
        if (s > 0)
            (with_current ? i : v) += arriving(n, given.address, given.event[s], given.event[s + 1]);
        const double end = step[STEP_END];
        double now = step[STEP_BEGIN], i_now = i, fade_end = step[STEP_FADE];
        double v_end = v * step[STEP_FALL] + i * step[STEP_FEED];
        i *= fade_end;
        const bool may_reach = larger(v, 0.0) + larger(i_now, 0.0) * step[STEP_TOP] >= enough;
        while (may_reach && n.spike + dead < end - instant(end, constants)) {
            double wait = n.spike + dead - now;
            wait = wait > instant(now, constants) ? wait : 0.0;
            const Crossing there = crossing(wait, end - now, v, i_now, v_end, fade_end, theta, constants);
            if (!(now + there.found < end))
                break;
            now += there.found;
            v = there.v + constants[EXACT_RECOIL];
            if (constants[EXACT_HARD] > 0.0)
                v = constants[EXACT_RESET] - (constants[EXACT_THETA] - theta);
            i_now *= there.fade;
            if (next_tick != NO_TICK && (window[STEP_TICK] < 0.0 || now > window[STEP_BEGIN]))
                n.undone += (there.v - v) * exp(-lam * (next_tick - now));
            v_end = v * exp(-lam * (end - now)) + i_now * feed(end - now, constants);
            fade_end /= there.fade;
            n.put(now);
            n.spike = now;
        }
        v = v_end;
    }
    if (n.spikes > first)
        n.v = v;
}

// Take in the events first..last-1, which arrive now.
__device__ __forceinline__ void take_in(LifNeuron& n, const i32* address, i64 first, i64 last, bool with_current)
{
    (with_current ? n.i : n.v) += arriving(n, address, first, last);
}

// Take a neuron over a window, after what arrives at its begin.
__device__ inline void run_window(
    LifNeuron& n, const LifWindow& given, bool with_current, double next_tick, const double* constants)
{
    const double* window = given.columns;
    const double v = n.v, i = n.i;
    double wide_bound = larger(v, 0.0), then = v * window[STEP_FALL], fading = i;
    if (with_current) {
        wide_bound = fma(larger(i, 0.0), window[STEP_TOP], wide_bound);
        then = fma(i, window[STEP_FEED], then);
        fading = i * window[STEP_FADE];
    }
    float bound = (float)wide_bound;
    const i64 inner = given.event[1], n_inner = given.event[given.n_steps] - inner;
    float row[LIF_INNER];
    for (int e = 0; e < LIF_INNER; e++)  // all are waited for together
        row[e] = e < n_inner ? n.rows[(i64)given.address[inner + e] * TILE] : 0.0f;
    for (int e = 0; e < LIF_INNER; e++)
        if (e < n_inner) {
            bound = fmaf(row[e] > 0.0f ? row[e] : 0.0f, given.upper[inner + e], bound);
            then = fma((double)row[e], given.coefficient[2 * (inner + e)], then);
            if (with_current)
                fading = fma((double)row[e], given.coefficient[2 * (inner + e) + 1], fading);
        }
    n.v = then;
    n.i = fading;
    // Not bound > least: what is no number any more must not be left out.
    const double end = window[STEP_END];
    const bool is_ready = !(n.spike + constants[EXACT_DEAD] >= end - instant(end, constants));
    if (!(n.least >= bound) && n.theta < NO_TIME && is_ready) {
        n.singles++;
        run_lane(n, given, v, i, with_current, next_tick, constants);
    }
}

// The potential of the tick at t, before it is reset, to which what resets since the last tick took away is added
// again, as far as it would have lasted; whether it may be active, in *is_awake. The tick before was at `since`; a
// spike on a tick itself counts to the time before it.
__device__ inline float at_tick(LifNeuron& n, double t, double since, const double* constants, bool* is_awake)
{
    const float now = (float)(n.v + n.undone + (constants[EXACT_THETA] - n.theta));
    *is_awake = t + instant(t, constants) >= n.spike + constants[EXACT_DEAD] || !(since >= n.spike);
    n.undone = 0.0;
    return now;
}
