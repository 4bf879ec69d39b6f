// A layer of leaky integrate-and-fire neurons in continuous time, forward: the tile sweep of kernels/cpu/lif_sweep.py and
// lif_active.py, whose order of every operation this keeps. Blocks, items and threads are those of exact.cu.

#define INSTANT_OF_TIME 9.094947017729282e-13
#define INSTANT_OF_DEAD_TIME 9.765625e-4
#define NO_TICK -1.0

// The input of a sample, cut into windows of steps: see `cut_lif_windows` in kernels/cpu/lif_windows.py.
struct LifWindows {
    const i32* address;
    const i64 *base, *count;
    const double* columns;
    const i64* first_step;
    const double* steps;
    const i64* event;
    const double* coefficient;
    const float* upper;
};

// ms by which times at t differ that are the same but for rounding.
__device__ __forceinline__ double instant(double t, const double* constants)
{
    return smaller(t * INSTANT_OF_TIME, constants[EXACT_DEAD] * INSTANT_OF_DEAD_TIME);
}

__device__ inline bool has_current(const double* constants)
{
    return constants[EXACT_KICK_B] != 0.0 || constants[EXACT_KICK_C] != 0.0;
}

struct LifNeuron : TimedNeuron {
    double v, i;    // potential and current at the time up to which it was run
    double undone;  // what resets since the last tick took off the potential of the next one

    // Before any input, at a potential of 0.
    __device__ LifNeuron(const TimedNeuron& own, const double* constants)
        : TimedNeuron(own), v(start(constants)), i(has_current(constants) ? v : 0.0), undone(0.0)
    {
    }
};

// exp(-mu s) - exp(-lam s).
__device__ inline double fade_beyond(double s, double mu, double lam)
{
    const double slow = exp(-smaller(mu, lam) * s);
    return copysign(slow * -expm1(-fabs(lam - mu) * s), lam - mu);
}

// What a unit of current gives the potential in s ms.
__device__ inline double feed(double s, const double* constants)
{
    const double lam = constants[EXACT_LAM];
    if (constants[EXACT_KICK_B] != 0.0)
        return constants[EXACT_KICK_B] * s * exp(-lam * s);
    return constants[EXACT_KICK_C] * fade_beyond(s, constants[EXACT_MU], lam);
}

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

// First s in [wait, length) at which a potential reaches theta, or infinity; and the potential and fade there. It is v and
// has the current i at 0, and is v_end at `length`, where the current has fallen to a share of fade_end.
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

// Sum of the weights of the events first..last-1.
__device__ inline double arriving(const LifNeuron& n, const LifWindows& given, i64 first, i64 last)
{
    double total = 0.0;
    for (i64 k = first; k < last; k++)
        total = total + (double)n.rows[(i64)given.address[k] * TILE];
    return total;
}

// Run a neuron through the steps of a window, which it begins with v and i; next_tick: ms, of the tick after the window's
// begin, for which resets are put down, or NO_TICK.
__device__ inline void run_lane(
    LifNeuron& n, const LifWindows& given, i64 w, double v, double i, bool with_current, double next_tick,
    const double* constants)
{
    const double lam = constants[EXACT_LAM], dead = constants[EXACT_DEAD], theta = n.theta;
    const double enough = theta - BOUND_MARGIN * (constants[EXACT_THETA] + fabs(theta));
    const double* window = given.columns + w * STEP_COLUMNS;
    const i64 first = n.spikes, first_step = given.first_step[w];
    for (i64 s = first_step; s < given.first_step[w + 1]; s++) {
        const double* step = given.steps + s * STEP_COLUMNS;
        if (s > first_step)
            (with_current ? i : v) += arriving(n, given, given.event[s], given.event[s + 1]);
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

// Take in what arrives at the begin of window w.
__device__ __forceinline__ void take_in(LifNeuron& n, const LifWindows& given, i64 w, bool with_current)
{
    const i64 step = given.first_step[w];
    (with_current ? n.i : n.v) += arriving(n, given, given.event[step], given.event[step + 1]);
}

// Take a neuron over window w, after what arrives at its begin.
__device__ inline void run_window(
    LifNeuron& n, const LifWindows& given, i64 w, bool with_current, double next_tick, const double* constants)
{
    const double* window = given.columns + w * STEP_COLUMNS;
    const double v = n.v, i = n.i;
    double wide_bound = larger(v, 0.0), then = v * window[STEP_FALL], fading = i;
    if (with_current) {
        wide_bound = fma(larger(i, 0.0), window[STEP_TOP], wide_bound);
        then = fma(i, window[STEP_FEED], then);
        fading = i * window[STEP_FADE];
    }
    float bound = (float)wide_bound;
    for (i64 k = given.event[given.first_step[w] + 1]; k < given.event[given.first_step[w + 1]]; k++) {
        const float row = n.rows[(i64)given.address[k] * TILE];
        bound = fmaf(row > 0.0f ? row : 0.0f, given.upper[k], bound);
        then = fma((double)row, given.coefficient[2 * k], then);
        if (with_current)
            fading = fma((double)row, given.coefficient[2 * k + 1], fading);
    }
    n.v = then;
    n.i = fading;
    // Not bound > least: what is no number any more must not be left out.
    const double end = window[STEP_END];
    const bool is_ready = !(n.spike + constants[EXACT_DEAD] >= end - instant(end, constants));
    if (!(n.least >= bound) && n.theta < NO_TIME && is_ready) {
        n.singles++;
        run_lane(n, given, w, v, i, with_current, next_tick, constants);
    }
}

// `exact_forward` for leaky integrate-and-fire neurons.
extern "C" __global__ void lif_exact_forward(
    i64 n_items, i64 n_samples, i64 n_in, const float* weight, const double* theta, const float* least,
    const i32* address, const i64* window_base, const i64* window_count, const double* window, const i64* window_step,
    const double* step, const i64* step_event, const double* coefficient, const float* upper, const double* constants,
    const i64* spike_ptr, i64* spike_count, i64* singles, double* spike_time)
{
    (void)n_items;
    const LifWindows given = {
        address, window_base, window_count, window, window_step, step, step_event, coefficient, upper};
    LifNeuron n(TimedNeuron(n_samples, n_in, weight, theta, least, spike_ptr, spike_time), constants);
    const i64 sample = blockIdx.x % n_samples, own = (i64)blockIdx.x * TILE + threadIdx.x;
    const bool with_current = has_current(constants);
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++) {
        take_in(n, given, w, with_current);
        run_window(n, given, w, with_current, NO_TICK, constants);
    }
    spike_count[own] = n.spikes;
    singles[own] = n.singles;
}

// `exact_forward_active` for them. A potential of a tick is that before it is reset: what resets since the last tick took
// away is added to it again, as far as it would have lasted. A spike on the tick itself counts to the time before it.
extern "C" __global__ void lif_exact_forward_active(
    i64 n_items, i64 n_samples, i64 n_in, i64 n_ticks, i64 is_again, i64 entry_room, i64 pair_room,
    double dt, float u_low, float u_high, float rho_width, float rho_peak, const float* weight, const double* theta,
    const float* least, const i32* address, const i64* window_base, const i64* window_count,
    const double* window, const i64* window_step, const double* step, const i64* step_event, const double* coefficient,
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
    const LifWindows given = {
        address, window_base, window_count, window, window_step, step, step_event, coefficient, upper};
    LifNeuron n(TimedNeuron(n_samples, n_in, weight, theta, least, spike_ptr, spike_time), constants);
    const i64 item = blockIdx.x, sample = item % n_samples, own = item * TILE + threadIdx.x;
    const bool with_current = has_current(constants);
    i64 next = 0;
    for (i64 w = given.base[sample]; w < given.base[sample] + given.count[sample]; w++) {
        take_in(n, given, w, with_current);
        const i64 tick = (i64)window[w * STEP_COLUMNS + STEP_TICK];
        if (0 <= tick && tick < n_ticks) {
            const double t = (double)tick * dt, since = (double)(tick - 1) * dt;
            const float now = (float)(n.v + n.undone + (constants[EXACT_THETA] - n.theta));
            const bool is_awake = t + instant(t, constants) >= n.spike + constants[EXACT_DEAD] || !(since >= n.spike);
            const bool is_neuron = n.theta < NO_TIME;
            chunk.keep(tick, now, is_neuron && now >= u_low && !(now >= u_high) && is_awake);
            n.undone = 0.0;
            next = tick + 1;
        }
        run_window(n, given, w, with_current, (double)next * dt, constants);
    }
    chunk.close();
    spike_count[own] = n.spikes;
    singles[own] = n.singles;
}
