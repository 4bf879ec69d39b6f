// The spike response model on the tick clock: a neuron's state, and steps of it, as in kernels/cpu/srm.py.

#define GAP 8
#define MARGIN 0.9999f

struct Srm {
    float p, q, pr, qr;
};

// What does not change while a tile is swept. decays: float32[2, n_ticks + 1], powers of the decays of psp and
// refractory response, made on the host so that all devices have the same; reach: see reach_of in kernels/cpu/srm.py.
struct SrmConstants {
    float alpha, beta, theta, kick, cut_p, cut_q, reach;
    const float *falls, *falls_ref;
};

__device__ __forceinline__ SrmConstants srm_constants(
    const float* constants, const float* decays, float reach, i64 n_ticks)
{
    SrmConstants out;
    out.alpha = constants[ALPHA_SYN];
    out.beta = constants[ALPHA_REF];
    out.theta = constants[THETA];
    out.kick = constants[GAIN_REF];
    out.cut_p = constants[CUT_P];
    out.cut_q = constants[CUT_Q];
    out.reach = reach;
    out.falls = decays;
    out.falls_ref = decays + n_ticks + 1;
    return out;
}

__device__ __forceinline__ void step(const SrmConstants& c, Srm& s)
{
    s.q = c.alpha * (s.q + s.p);
    s.p = c.alpha * s.p;
    s.qr = c.beta * (s.qr + s.pr);
    s.pr = c.beta * s.pr;
}

// The state after n ticks without input, in closed form.
__device__ __forceinline__ void jump(const SrmConstants& c, Srm& s, i64 n)
{
    const float fall = c.falls[n], fall_ref = c.falls_ref[n], ticks = (float)n;
    s.q = fall * (s.q + ticks * s.p);
    s.p = fall * s.p;
    s.qr = fall_ref * (s.qr + ticks * s.pr);
    s.pr = fall_ref * s.pr;
}

__device__ __forceinline__ float positive(float v) { return v >= 0.0f ? v : 0.0f; }

__device__ __forceinline__ float lowered(float limit) { return limit > 0.0f ? limit * MARGIN : limit / MARGIN; }

// Whether no potential of the tile can reach `limit` before the next input; all of the block's threads ask together.
__device__ __forceinline__ bool stays_below(
    const SrmConstants& c, const Srm& s, float limit, float base, float slack)
{
    float bound = positive(s.q) + positive(s.p) * c.reach;
    const bool is_known = bound >= bound;
    bound = bound + base + slack;
    return __syncthreads_and(is_known && !(bound >= limit));
}
