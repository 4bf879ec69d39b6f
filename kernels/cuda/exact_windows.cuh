// Windows of samples, see kernels/cpu/windows.py and lif_windows.py, whose order of every operation this keeps. Threads
// of a warp look for the end of a window together, and threads for its segments or steps fill it.

#define ROUND_UP (1.0 + 4e-6)
#define INSTANT_OF_TIME 9.094947017729282e-13
#define INSTANT_OF_DEAD_TIME 9.765625e-4

// A window and its events, to be filled.
struct WindowRoom {
    double* columns;
    double* coefficient;
    float* upper;
};

// End of the window that begins at `begin`, and in *following the first event after it; all of a warp ask together.
__device__ inline double next_end(
    double begin, double last_end, i64 k, i64 last, double longest, double longest_silence, double next_tick,
    const double* time, i64* following)
{
    const int lane = threadIdx.x % WARP;
    const double soon = nextafter(begin, NO_TIME);  // what is shorter than the last bit of the time would never end
    const double limit = smaller(smaller(larger(begin + longest, soon), next_tick), last_end);
    const int n = __popc(__ballot_sync(EVERY_LANE, lane < SEGMENTS && k + lane < last && time[k + lane] < limit));
    if (n == 0) {
        const double stop = smaller(smaller(next_tick, last_end), larger(begin + longest_silence, soon));
        *following = k;
        return k < last ? smaller(time[k], stop) : stop;
    }
    *following = k + (n < SEGMENTS ? n : SEGMENTS - 1);
    return n < SEGMENTS ? limit : time[*following];
}

// What all neurons share of segment i of a window, of which the ninth has no length; time: of its events.
__device__ inline void fill_segment(
    int i, double begin, double end, i64 n_events, const double* time, const double* constants, const WindowRoom& out)
{
    const double lam = constants[EXACT_LAM], mu = constants[EXACT_MU], kick = constants[EXACT_KICK];
    const double length = end - begin, fall = exp(-lam * length), fall_ref = exp(-mu * length);
    const bool has_event = 0 < i && i <= n_events;
    double since = length, early = fall, early_ref = fall_ref;
    if (i == 0) {
        out.columns[WINDOW_BEGIN] = begin;
        out.columns[WINDOW_END] = end;
        out.columns[LENGTH] = length;
        out.columns[FALL] = fall;
        out.columns[FALL_REF] = fall_ref;
        out.columns[CLIMB] = (1.0 - fall) / lam;
        since = 0.0;
        early = early_ref = 1.0;
    }
    if (has_event) {
        const double left = end - time[i - 1];
        since = time[i - 1] - begin;
        early = exp(-lam * since);
        early_ref = exp(-mu * since);
        const double late = kick * fall / early;
        out.coefficient[2 * (i - 1)] = late * left;
        out.coefficient[2 * (i - 1) + 1] = late;
        // Only a window that is as short as float64 lets it be is longer than the psp takes to its peak, which is 1.
        out.upper[i - 1] = (float)((lam * left <= 1.0 ? late * left : 1.0) * ROUND_UP);
    }
    out.columns[SEGMENT_TIME + i] = since;
    out.columns[SEGMENT_FALL + i] = early;
    out.columns[SEGMENT_FALL_REF + i] = early_ref;
    if (i < SEGMENTS)
        out.columns[SEGMENT_KICK + i] = has_event ? kick / early : 0.0;
}

// ms by which times at t differ that are the same but for rounding.
__device__ __forceinline__ double instant(double t, const double* constants)
{
    return smaller(t * INSTANT_OF_TIME, constants[EXACT_DEAD] * INSTANT_OF_DEAD_TIME);
}

// The first event from k on that comes after `until`; all of a warp ask together.
__device__ inline i64 first_after(double until, i64 k, i64 last, const double* time)
{
    const int lane = threadIdx.x % WARP;
    for (;;) {
        const int n = __popc(__ballot_sync(EVERY_LANE, k + lane < last && time[k + lane] <= until));
        k += n;
        if (n < WARP)
            return k;
    }
}

// Cut the window from `begin` on, whose first event is k, into steps: of those the begins and ends, and their first
// events, which the first thread of the block writes. All of a warp go along; returns the number of steps, and in *stop
// and *k where the next window begins.
__device__ inline int cut_steps(
    double begin, double limit, i64 last, double longest, double longest_step, const double* time,
    const double* constants, double* step, i64* event, double* stop, i64* k)
{
    double t = begin;
    i64 inner = *k, own = *k;
    int n = 0;
    for (;;) {
        const i64 first = own;
        own = first_after(t + instant(t, constants), own, last, time);
        if (n == 0)
            inner = own;
        if (threadIdx.x == 0)
            event[n] = first;
        double end = smaller(larger(t + longest_step, nextafter(t, NO_TIME)), limit);
        if (own < last)
            end = smaller(time[own], end);
        if (n > 0 && (end - begin > longest || own - inner > LIF_INNER)) {
            own = first;
            break;
        }
        if (threadIdx.x == 0) {
            step[n * STEP_COLUMNS + STEP_BEGIN] = t;
            step[n * STEP_COLUMNS + STEP_END] = end;
        }
        t = end;
        n++;
        if (n == LIF_STEPS || !(t < limit))
            break;
    }
    if (threadIdx.x == 0)
        event[n] = own;
    *stop = t;
    *k = own;
    return n;
}

__device__ inline bool has_current(const double* constants)
{
    return constants[EXACT_KICK_B] != 0.0 || constants[EXACT_KICK_C] != 0.0;
}

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

// When `feed` is largest, and how large; infinity and the limit where it only rises.
struct FeedPeak {
    double at, most;
};

__device__ inline FeedPeak peak_of(const double* constants)
{
    const double lam = constants[EXACT_LAM], mu = constants[EXACT_MU];
    if (!has_current(constants))
        return {0.0, 0.0};
    if (lam == 0.0)
        return {NO_TIME, fabs(constants[EXACT_KICK_C])};
    const double at = constants[EXACT_KICK_B] != 0.0 ? 1.0 / lam : log(mu / lam) / (mu - lam);
    return {at, feed(at, constants)};
}

// What all neurons share of a step, of which begin and end are known.
__device__ inline void fill_step(double* step, const double* constants, const FeedPeak& peak)
{
    const double s = step[STEP_END] - step[STEP_BEGIN];
    double fade = 1.0, given = 0.0;
    if (has_current(constants)) {
        fade = exp(-constants[EXACT_MU] * s);
        given = feed(s, constants);
    }
    step[STEP_FALL] = exp(-constants[EXACT_LAM] * s);
    step[STEP_FADE] = fade;
    step[STEP_FEED] = given;
    step[STEP_TOP] = s < peak.at ? given : peak.most;
    step[STEP_TICK] = -1.0;
}

// What all neurons share of a window whose steps are filled, on the tick at its begin, or -1: eight threads for each.
// What events add stands by their numbers; member i writes that of event i after those that arrive at the window's
// begin.
__device__ inline void close_window(
    int member, double tick, i64 n_steps, const double* step, const i64* event, const double* constants,
    const FeedPeak& peak, double* columns, double* coefficient, float* upper)
{
    const bool with_current = has_current(constants);
    const double begin = step[STEP_BEGIN], end = step[(n_steps - 1) * STEP_COLUMNS + STEP_END];
    const i64 own = event[1] + member;
    double fall = 1.0, fade = 1.0, given = 0.0;
    for (i64 back = n_steps - 1; back >= 0; back--) {
        const double* row = step + back * STEP_COLUMNS;
        given = row[STEP_FEED] * fall + row[STEP_FADE] * given;
        fall *= row[STEP_FALL];
        fade *= row[STEP_FADE];
        if (back > 0 && event[back] <= own && own < event[back + 1]) {
            const double top = end - row[STEP_BEGIN] < peak.at ? given : peak.most;
            coefficient[2 * own] = with_current ? given : fall;
            coefficient[2 * own + 1] = with_current ? fade : 0.0;
            upper[own] = (float)((with_current ? top : 1.0) * ROUND_UP);
        }
    }
    if (member > 0)
        return;
    columns[STEP_BEGIN] = begin;
    columns[STEP_END] = end;
    columns[STEP_FALL] = fall;
    columns[STEP_FADE] = fade;
    columns[STEP_FEED] = given;
    columns[STEP_TOP] = end - begin < peak.at ? given : peak.most;
    columns[STEP_TICK] = tick;
}
