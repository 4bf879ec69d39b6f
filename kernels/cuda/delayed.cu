// A dense layer with delays and recurrence on the tick clock, forward; see kernels/cpu/delayed.py, whose order of every
// operation this keeps. A block of 256 threads for every sample: four tiles at a time, a thread for each of their neurons.

#define TILES_AT_ONCE 4

// Synapses from some neurons to a tile's. delay: ticks, [1, 1] of all, [n_in, 1] by presynaptic neuron, or by synapse.
struct Projection {
    const float* weight;
    i64 n_in;
    const i32* delay;
    i64 delay_rows, delay_columns;
};

// Puts spikes of one tick on their way to one neuron; its ring has a place for every tick that they can arrive at.
struct Sender {
    const float* weight;  // of the neuron, from the first presynaptic one
    const i32* delay;     // likewise, with so many numbers for each
    i64 stride, tick, n_ticks, depth, step;
    bool is_common;
    float* ring;
    float total;

    __device__ void send(float value, i64 ticks)
    {
        if (tick + ticks < n_ticks) {
            float* place = ring + (tick + ticks) % depth * step;
            *place = *place + value;
        }
    }

    __device__ void add(i64 source)
    {
        if (is_common)
            total = total + weight[source * TILE];
        else
            send(weight[source * TILE], delay[source * stride]);
    }

    __device__ void finish()
    {
        if (is_common)
            send(total, delay[0]);
    }
};

__device__ inline Sender sender_of(
    const Projection& from, i64 neuron, i64 tick, i64 n_ticks, i64 depth, i64 step, float* ring)
{
    Sender out;
    out.weight = from.weight + (neuron / TILE * from.n_in) * TILE + neuron % TILE;
    out.delay = from.delay + (from.delay_columns == 1 ? 0 : neuron);
    out.stride = from.delay_columns;
    out.tick = tick;
    out.n_ticks = n_ticks;
    out.depth = depth;
    out.step = step;
    out.is_common = from.delay_rows * from.delay_columns == 1;
    out.ring = ring + neuron;
    out.total = 0.0f;
    return out;
}

// A tick of a neuron; state: four numbers, `step` apart. Returns whether its potential is at threshold.
__device__ inline bool step_srm(const float* constants, float* state, i64 step, float given, bool may_fire)
{
    const float alpha = constants[ALPHA_SYN], beta = constants[ALPHA_REF];
    const float p = state[0] + constants[GAIN_SYN] * given;
    const float q = alpha * (state[step] + p), qr = beta * (state[3 * step] + state[2 * step]);
    const bool fires = may_fire && q + qr >= constants[THETA];
    state[0] = alpha * p;
    state[step] = q;
    state[2 * step] = fires ? beta * state[2 * step] + constants[GAIN_REF] : beta * state[2 * step];
    state[3 * step] = qr;
    return fires;
}

__device__ inline bool step_lif(const float* constants, float* state, i64 step, float given, bool may_fire)
{
    const float i = state[step];
    const float v = constants[LIF_DECAY] * state[0] + constants[LIF_FEED] * i + constants[LIF_GAIN] * given;
    const bool fires = may_fire && v >= constants[THETA];
    state[0] = !fires ? v : constants[LIF_HARD] > 0.0f ? constants[LIF_RESET] : v - constants[LIF_DROP];
    state[step] = constants[LIF_SYN_DECAY] * i + constants[LIF_SYN_GAIN] * given;
    return fires;
}

template <bool IS_LEAKY>
__device__ inline void delayed(
    i64 n_samples, i64 n_neurons, i64 n_ticks, i64 n_abs, i64 depth, i64 is_recurrent, const i64* run_base,
    const i64* run_count, const i32* run_tick, const i64* run_start, const i32* address, const Projection& given,
    const Projection& own, const float* constants, const float* drive, float* state, float* ring, i32* ready,
    u64* fired)
{
    const i64 sample = blockIdx.x, tiles = (n_neurons + TILE - 1) / TILE, step = tiles * TILE;
    const i64 first_tile = threadIdx.x / TILE, lane = threadIdx.x % TILE;
    state += sample * 4 * step;
    ring += sample * depth * step;
    ready += sample * step;
    i64 run = run_base[sample];
    const i64 run_end = run + run_count[sample];
    for (i64 t = 0; t < n_ticks; t++) {
        const bool has_input = run < run_end && run_tick[run] == t;
        const i64 arriving = (IS_LEAKY ? t : t + depth - 1) % depth;  // with `SRM` what was sent for the tick before
        for (i64 tile = first_tile; tile < tiles; tile += TILES_AT_ONCE) {
            const i64 neuron = tile * TILE + lane;
            Sender sender = sender_of(given, neuron, t, n_ticks, depth, step, ring);
            if (IS_LEAKY && has_input && neuron < n_neurons) {
                for (i64 k = run_start[run]; k < run_start[run + 1]; k++)
                    sender.add(address[k]);
                sender.finish();
            }
            const float arrived = ring[arriving * step + neuron];
            ring[arriving * step + neuron] = 0.0f;
            const bool may_fire = neuron < n_neurons && t >= ready[neuron];
            const float each_tick = IS_LEAKY ? drive[(tile * DRIVE_ROWS + EACH_TICK) * TILE + lane] : 0.0f;
            const bool fires = IS_LEAKY ? step_lif(constants, state + neuron, step, arrived + each_tick, may_fire)
                                        : step_srm(constants, state + neuron, step, arrived, may_fire);
            write_bits(fired, (tile * n_samples + sample) * n_ticks + t, fires);
            if (fires)
                ready[neuron] = (i32)(t + n_abs < n_ticks ? t + n_abs : n_ticks);
            if (!IS_LEAKY && has_input && neuron < n_neurons) {
                for (i64 k = run_start[run]; k < run_start[run + 1]; k++)
                    sender.add(address[k]);
                sender.finish();
            }
        }
        run += has_input;
        if (!is_recurrent)
            continue;
        __syncthreads();  // all spikes of the tick are written
        for (i64 tile = first_tile; tile < tiles; tile += TILES_AT_ONCE) {
            const i64 neuron = tile * TILE + lane;
            Sender sender = sender_of(own, neuron, t, n_ticks, depth, step, ring);
            bool any = false;
            for (i64 from = 0; neuron < n_neurons && from < tiles; from++)
                for (u64 lanes = read_bits(fired, (from * n_samples + sample) * n_ticks + t); lanes != 0;
                     lanes &= lanes - 1) {
                    sender.add(from * TILE + __ffsll(lanes) - 1);
                    any = true;
                }
            if (any)
                sender.finish();
        }
    }
}

// Spikes of every sample, fired[items, n_ticks] as in `dense_forward`, zero before. delay: see `Projection`, at most
// n_ticks; state[samples, 4, tiles * 64], ring[samples, depth, tiles * 64] and ready[samples, tiles * 64]: zero before,
// depth is above every delay that is below n_ticks.
extern "C" __global__ void delayed_forward(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 is_recurrent, i64 delay_rows,
    i64 delay_columns, i64 own_delay_rows, i64 own_delay_columns, const i64* run_base, const i64* run_count,
    const i32* run_tick, const i64* run_start, const i32* address, const float* weight, const float* own_weight,
    const i32* delay, const i32* own_delay, const float* constants, float* state, float* ring, i32* ready, u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    const Projection own = {own_weight, n_neurons, own_delay, own_delay_rows, own_delay_columns};
    delayed<false>(n_samples, n_neurons, n_ticks, n_abs, depth, is_recurrent, run_base, run_count, run_tick, run_start,
                   address, given, own, constants, nullptr, state, ring, ready, fired);
}

// `delayed_forward` of leaky integrate-and-fire neurons; own_delay: of a tick or more, drive: see `lif_forward`.
extern "C" __global__ void delayed_lif_forward(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 is_recurrent, i64 delay_rows,
    i64 delay_columns, i64 own_delay_rows, i64 own_delay_columns, const i64* run_base, const i64* run_count,
    const i32* run_tick, const i64* run_start, const i32* address, const float* weight, const float* own_weight,
    const i32* delay, const i32* own_delay, const float* constants, const float* drive, float* state, float* ring,
    i32* ready, u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    const Projection own = {own_weight, n_neurons, own_delay, own_delay_rows, own_delay_columns};
    delayed<true>(n_samples, n_neurons, n_ticks, n_abs, depth, is_recurrent, run_base, run_count, run_tick, run_start,
                  address, given, own, constants, drive, state, ring, ready, fired);
}
