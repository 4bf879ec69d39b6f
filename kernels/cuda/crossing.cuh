// Where the potential of an SRM neuron first reaches its threshold, in continuous time: kernels/cpu/crossing.py and
// segment.py, in the order of every operation. Only what the exponential function rounds to may differ.

#define CROSSING_STEPS 200
#define HALLEY_STEPS 100
#define MOST_PIECES 48
#define EULER 2.718281828459045
#define NO_TIME ((double)-MINUS_INFINITY)

__device__ __forceinline__ double larger(double a, double b) { return a > b ? a : b; }
__device__ __forceinline__ double smaller(double a, double b) { return a < b ? a : b; }

// u(s) = (a + b s) exp(-lam s) + (c + d s) exp(-mu s): psp, and refractory response.
struct Potential {
    double a, b, c, d, lam, mu;

    __device__ double psp(double s) const { return (a + b * s) * exp(-lam * s); }
    __device__ double at(double s) const { return psp(s) + (c + d * s) * exp(-mu * s); }
    __device__ double slope(double s) const
    {
        return (b - lam * (a + b * s)) * exp(-lam * s) + (d - mu * (c + d * s)) * exp(-mu * s);
    }
};

// Functions whose roots are sought: the potential less theta, and h and h' whose roots bracket its monotone pieces.
enum Order { ORDER_U, ORDER_H, ORDER_DH };

// Value, and derivative in *slope.
__device__ inline double value_of(int order, double s, const Potential& u, double theta, double* slope)
{
    const double k = u.lam - u.mu, grow = exp(k * s);
    const double p = u.b - u.lam * (u.a + u.b * s), r = u.d - u.mu * (u.c + u.d * s);
    if (order == ORDER_U) {
        const double fall = exp(-u.lam * s);
        *slope = (p + r * grow) * fall;
        return (u.a + u.b * s) * fall + (u.c + u.d * s) * exp(-u.mu * s) - theta;
    }
    const double bend = -u.lam * u.b + (k * r - u.mu * u.d) * grow;
    *slope = order == ORDER_H ? bend : k * (k * r - 2.0 * u.mu * u.d) * grow;
    return order == ORDER_H ? p + r * grow : bend;
}

__device__ inline double root_of(int order, double low, double high, const Potential& u, double theta)
{
    double slope;
    const bool upward = value_of(order, high, u, theta, &slope) >= 0.0;
    double s = 0.5 * (low + high);
    for (int i = 0; i < CROSSING_STEPS; i++) {
        const double f = value_of(order, s, u, theta, &slope);
        if ((f >= 0.0) == upward)
            high = s;
        else
            low = s;
        if (high - low <= 4e-16 * (fabs(low) + fabs(high)))
            break;
        const double step = f / slope;
        double following = s - step;
        if (!(low < following && following < high)) {
            following = 0.5 * (low + high);
        } else if (fabs(step) <= 1e-15 * fabs(s)) {
            following = high > s ? s + 1e-14 * fabs(s) : s - 1e-14 * fabs(s);
            if (!(low < following && following < high))
                following = 0.5 * (low + high);
        }
        s = following;
    }
    return high;
}

// Insert the roots of a function between n edges, which ascend; returns the new number.
__device__ inline int split(int order, double* edges, int n, const Potential& u, double theta)
{
    int filled = n;
    for (int i = 0; i < n - 1; i++) {
        const double low = edges[i], high = edges[i + 1];
        double slope;
        if (high > low
            && (value_of(order, low, u, theta, &slope) >= 0.0) != (value_of(order, high, u, theta, &slope) >= 0.0))
            edges[filled++] = root_of(order, low, high, u, theta);
    }
    for (int i = 1; i < filled; i++) {
        const double value = edges[i];
        int j = i;
        for (; j > 0 && edges[j - 1] > value; j--)
            edges[j] = edges[j - 1];
        edges[j] = value;
    }
    return filled;
}

// Largest psp at or after `start`.
__device__ inline double psp_maximum(double start, const Potential& u)
{
    if (u.b > 0.0)
        start = larger(start, 1.0 / u.lam - u.a / u.b);
    const double value = u.psp(start);
    return u.b > 0.0 ? value : larger(value, 0.0);
}

__device__ inline double first_crossing(double start, Potential u, double theta)
{
    double edges[EDGES];
    if (psp_maximum(start, u) < theta)
        return NO_TIME;
    if (u.at(start) >= theta)
        return start;
    if (u.lam == u.mu) {
        u.a = u.a + u.c;
        u.b = u.b + u.d;
        u.c = u.d = 0.0;
        if (psp_maximum(start, u) < theta)
            return NO_TIME;
    }
    const double peak = u.b > 0.0 ? larger(start, 1.0 / u.lam - u.a / u.b) : start;
    double end = peak, stride = 1.0 / u.lam;
    while (theta > 0.0 ? u.psp(end) >= theta : u.at(end) < theta) {
        end += stride;
        stride *= 2.0;
    }
    int n = 2;
    edges[0] = start;
    edges[1] = end;
    if (u.c == 0.0 && u.d == 0.0) {
        edges[1] = peak;
        edges[2] = end;
        n = 3;
    } else {
        if (u.d != 0.0 && u.lam != u.mu) {
            const double bend = (u.d - u.mu * u.c) / (u.mu * u.d) - 2.0 / (u.lam - u.mu);
            if (start < bend && bend < end) {
                edges[1] = bend;
                edges[2] = end;
                n = 3;
            }
        }
        n = split(ORDER_DH, edges, n, u, theta);
        n = split(ORDER_H, edges, n, u, theta);
    }
    for (int i = 0; i < n - 1; i++)
        if (u.at(edges[i + 1]) >= theta)
            return root_of(ORDER_U, edges[i], edges[i + 1], u, theta);
    return NO_TIME;
}

// The largest |u''| from 0 to `end`, or more.
__device__ inline double bend_of(double end, const Potential& u)
{
    const double psp = larger(fabs(u.lam * u.a - 2.0 * u.b), fabs(u.lam * (u.a + u.b * end) - 2.0 * u.b));
    const double response = larger(fabs(u.mu * u.c - 2.0 * u.d), fabs(u.mu * (u.c + u.d * end) - 2.0 * u.d));
    return u.lam * psp + u.mu * response;
}

// Where u reaches theta in [low, high], over which it gets to it and turns once at most; and exp(-mu s), in *since_ref.
__device__ inline double rising_root(
    double low, double high, double u_low, double u_high, double slope, double slope_high, const Potential& u,
    double theta, double* since_ref)
{
    const double length = high - low, gain = u_high - u_low, w = (theta - u_low) / gain;
    double s = low + w * w * (3.0 - 2.0 * w) * length, fall_ref = 1.0, step = 0.0;
    s += w * (1.0 - w) * gain * ((1.0 - w) / slope - w / slope_high);
    if (!(low <= s && s <= high))
        s = 0.5 * (low + high);
    for (int i = 0; i < HALLEY_STEPS; i++) {
        const double fall = exp(-u.lam * s);
        fall_ref = exp(-u.mu * s);
        const double psp = (u.a + u.b * s) * fall, response = (u.c + u.d * s) * fall_ref;
        const double b_now = u.b * fall, d_now = u.d * fall_ref, missing = theta - (psp + response);
        if (missing > 0.0)
            low = s;
        else
            high = s;
        const double rise = b_now - u.lam * psp + d_now - u.mu * response;
        const double turn = u.lam * (u.lam * psp - 2.0 * b_now) + u.mu * (u.mu * response - 2.0 * d_now);
        step = 2.0 * missing * rise / (2.0 * rise * rise + missing * turn);
        const bool is_halley = low <= s + step && s + step <= high && fabs(step * turn) < rise;
        if (!is_halley)
            step = 0.5 * (low + high) - s;
        s += step;
        const double ratio = step * turn / rise;
        if (is_halley && fabs(step) * (u.lam + u.mu) < 1e-4 && fabs(step) * ratio * ratio < 1e-14)
            break;
    }
    const double z = u.mu * step;
    *since_ref = fall_ref * (1.0 - z + 0.5 * z * z);
    return s;
}

// First s in [start, end) with u(s) >= theta, or infinity.
__device__ inline double crossing_before(double start, double end, const Potential& potential, double theta)
{
    double u = potential.at(start);
    if (u >= theta)
        return start;
    const double bend = bend_of(end, potential);
    double s = start, length = end - start;
    for (int i = 0; i < MOST_PIECES; i++) {
        const double slope = potential.slope(s), turn = bend * length, stop = smaller(s + length, end);
        const bool may_reach = u + (larger(slope, 0.0) + 0.5 * turn) * length >= theta && slope > -turn;
        if (may_reach && slope < turn) {
            length *= 0.5;
            continue;
        }
        const double u_stop = potential.at(stop);
        if (may_reach && u_stop >= theta) {
            double since_ref;
            return rising_root(s, stop, u, u_stop, slope, potential.slope(stop), potential, theta, &since_ref);
        }
        if (stop >= end)
            return NO_TIME;
        length = smaller(2.0 * length, end - stop);
        s = stop;
        u = u_stop;
        if (u >= theta)
            return s;
    }
    s = first_crossing(start, potential, theta);
    return s < end ? s : NO_TIME;
}
