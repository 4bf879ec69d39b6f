// A dense layer with delays and recurrence on the tick clock, forward; see kernels/cpu/delayed.py, whose order of every
// operation this keeps. What is on its way to a neuron stands in its ring, which its own thread reads and writes.
//
// Without recurrence tiles know nothing of each other: four items of 64 neurons in a sample are a block, whose neurons
// stay in registers. With it every tile wants all spikes of the tick before it goes on: a block of 1024 threads runs a
// whole sample, 1024 neurons at a time, as many as the layers of the field have. More blocks a sample would meet at a
// barrier of the device in every tick, whose few microseconds are those of a tick of such a block.

// Tiles whose own spikes of a tick the threads of a recurrent layer find in shared memory, and not far off.
#define NEAR_TILES 512

// Of SRM neurons p, q, and those of the refractory response; of leaky ones potential and current.
struct Neuron {
    float a, b, c, d;
};

template <bool IS_LEAKY>
struct Model;

template <>
struct Model<false> {
    float alpha, beta, gain, kick, theta;

    __device__ explicit Model(const float* constants)
        : alpha(constants[ALPHA_SYN]), beta(constants[ALPHA_REF]), gain(constants[GAIN_SYN]),
          kick(constants[GAIN_REF]), theta(constants[THETA])
    {
    }

    // A tick of a neuron; returns whether its potential is at threshold.
    __device__ bool step(Neuron& s, float given, bool may_fire) const
    {
        const float p = s.a + gain * given, q = alpha * (s.b + p), qr = beta * (s.d + s.c);
        const bool fires = may_fire && q + qr >= theta;
        s.a = alpha * p;
        s.b = q;
        s.c = fires ? beta * s.c + kick : beta * s.c;
        s.d = qr;
        return fires;
    }
};

template <>
struct Model<true> {
    float decay, feed, gain, syn_decay, syn_gain, theta, drop, reset;
    bool is_hard;

    __device__ explicit Model(const float* constants)
        : decay(constants[LIF_DECAY]), feed(constants[LIF_FEED]), gain(constants[LIF_GAIN]),
          syn_decay(constants[LIF_SYN_DECAY]), syn_gain(constants[LIF_SYN_GAIN]), theta(constants[THETA]),
          drop(constants[LIF_DROP]), reset(constants[LIF_RESET]), is_hard(constants[LIF_HARD] > 0.0f)
    {
    }

    __device__ bool step(Neuron& s, float given, bool may_fire) const
    {
        const float v = decay * s.a + feed * s.b + gain * given;
        const bool fires = may_fire && v >= theta;
        s.a = !fires ? v : is_hard ? reset : v - drop;
        s.b = syn_decay * s.b + syn_gain * given;
        return fires;
    }
};

// What arrives at a neuron for tick t; its place in the ring is empty after that. SRM neurons get what was sent for the
// tick before, leaky ones that of their own.
template <bool IS_LEAKY>
__device__ inline float arrived(float* ring, i64 t, i64 depth, i64 step)
{
    float* place = ring + (IS_LEAKY ? t : t + depth - 1) % depth * step;
    const float value = *place;
    *place = 0.0f;
    return value;
}

template <bool IS_LEAKY>
__device__ inline void delayed(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_ticks, i64 n_abs, i64 depth, const i64* run_base,
    const i64* run_count, const i32* run_tick, const i64* run_start, const i32* address, const Projection& given,
    const float* constants, const float* drive, float* ring, u64* fired)
{
    const i64 item = global_index() / TILE, lane = threadIdx.x % TILE;
    if (item >= n_items)
        return;
    const i64 tile = item / n_samples, sample = item % n_samples, neuron = tile * TILE + lane;
    const Model<IS_LEAKY> model(constants);
    const float each_tick = IS_LEAKY ? drive[(tile * DRIVE_ROWS + EACH_TICK) * TILE + lane] : 0.0f;
    const bool is_neuron = neuron < n_neurons;
    ring += item * depth * TILE + lane;
    Neuron s = {0.0f, 0.0f, 0.0f, 0.0f};
    i64 run = run_base[sample], ready = 0;
    const i64 run_end = run + run_count[sample];
    for (i64 t = 0; t < n_ticks; t++) {
        const bool has_input = run < run_end && run_tick[run] == t;
        Sender sender = sender_of(given, neuron, t, n_ticks, depth, TILE, ring);
        if (IS_LEAKY && has_input && is_neuron)
            sender.send_all(address, run_start[run], run_start[run + 1]);
        const float value = arrived<IS_LEAKY>(ring, t, depth, TILE);
        const bool fires = model.step(s, IS_LEAKY ? value + each_tick : value, is_neuron && t >= ready);
        write_bits(fired, item * n_ticks + t, fires);
        ready = fires ? t + n_abs : ready;
        if (!IS_LEAKY && has_input && is_neuron)
            sender.send_all(address, run_start[run], run_start[run + 1]);
        run += has_input;
    }
}

template <bool IS_LEAKY>
__device__ inline void recurrent(
    i64 n_samples, i64 n_neurons, i64 n_ticks, i64 n_abs, i64 depth, const i64* run_base, const i64* run_count,
    const i32* run_tick, const i64* run_start, const i32* address, const Projection& given, const Projection& own,
    const float* constants, const float* drive, float* state, float* ring, i32* ready, u64* fired)
{
    const i64 sample = blockIdx.x, tiles = (n_neurons + TILE - 1) / TILE, step = tiles * TILE;
    const i64 first_tile = threadIdx.x / TILE, at_once = blockDim.x / TILE, lane = threadIdx.x % TILE;
    // By halves of words, and twice, so that one barrier a tick is enough: the next but one is behind that of the next.
    __shared__ u32 near[2][2 * NEAR_TILES];
    const Model<IS_LEAKY> model(constants);
    state += sample * 4 * step;
    ring += sample * depth * step;
    ready += sample * step;
    i64 run = run_base[sample];
    const i64 run_end = run + run_count[sample];
    for (i64 t = 0; t < n_ticks; t++) {
        u32* const spikes = near[t % 2];
        const bool has_input = run < run_end && run_tick[run] == t;
        for (i64 tile = first_tile; tile < tiles; tile += at_once) {
            const i64 neuron = tile * TILE + lane;
            const bool is_neuron = neuron < n_neurons;
            Sender sender = sender_of(given, neuron, t, n_ticks, depth, step, ring + neuron);
            if (IS_LEAKY && has_input && is_neuron)
                sender.send_all(address, run_start[run], run_start[run + 1]);
            const float value = arrived<IS_LEAKY>(ring + neuron, t, depth, step);
            const float each_tick = IS_LEAKY ? drive[(tile * DRIVE_ROWS + EACH_TICK) * TILE + lane] : 0.0f;
            float* at = state + neuron;
            Neuron s = {at[0], at[step], at[2 * step], at[3 * step]};
            const bool fires = model.step(s, IS_LEAKY ? value + each_tick : value, is_neuron && t >= ready[neuron]);
            at[0] = s.a;
            at[step] = s.b;
            at[2 * step] = s.c;
            at[3 * step] = s.d;
            write_bits(fired, (tile * n_samples + sample) * n_ticks + t, fires);
            const u32 half = __ballot_sync(EVERY_LANE, fires);
            if (is_first_of_warp() && tile < NEAR_TILES)
                spikes[2 * tile + lane / WARP] = half;
            if (fires)
                ready[neuron] = (i32)(t + n_abs < n_ticks ? t + n_abs : n_ticks);
            if (!IS_LEAKY && has_input && is_neuron)
                sender.send_all(address, run_start[run], run_start[run + 1]);
        }
        run += has_input;
        __syncthreads();  // all spikes of the tick are written
        for (i64 tile = first_tile; tile < tiles; tile += at_once) {
            const i64 neuron = tile * TILE + lane;
            Sender sender = sender_of(own, neuron, t, n_ticks, depth, step, ring + neuron);
            bool any = false;
            for (i64 from = 0; neuron < n_neurons && from < tiles; from++) {
                u64 lanes = from < NEAR_TILES ? spikes[2 * from] | (u64)spikes[2 * from + 1] << WARP
                                              : read_bits(fired, (from * n_samples + sample) * n_ticks + t);
                for (; lanes != 0; lanes &= lanes - 1) {
                    sender.add(from * TILE + __ffsll(lanes) - 1);
                    any = true;
                }
            }
            if (any)
                sender.finish();
        }
    }
}

// Spikes of every item, fired[items, n_ticks] as in `dense_forward`, zero before. delay: see `Projection`, at most
// n_ticks; ring[items, depth, 64]: zero before, depth is above every delay that is below n_ticks.
extern "C" __global__ void delayed_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 delay_rows,
    i64 delay_columns, const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start,
    const i32* address, const float* weight, const i32* delay, const float* constants, float* ring, u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    delayed<false>(n_items, n_samples, n_neurons, n_ticks, n_abs, depth, run_base, run_count, run_tick, run_start,
                   address, given, constants, nullptr, ring, fired);
}

// `delayed_forward` of leaky integrate-and-fire neurons; drive: see `lif_forward`.
extern "C" __global__ void delayed_lif_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 delay_rows,
    i64 delay_columns, const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start,
    const i32* address, const float* weight, const i32* delay, const float* constants, const float* drive, float* ring,
    u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    delayed<true>(n_items, n_samples, n_neurons, n_ticks, n_abs, depth, run_base, run_count, run_tick, run_start,
                  address, given, constants, drive, ring, fired);
}

// `delayed_forward` of a layer whose own spikes come back to it. state[samples, 4, tiles * 64], ring[samples, depth,
// tiles * 64] and ready[samples, tiles * 64]: zero before.
extern "C" __global__ void __launch_bounds__(1024, 1) recurrent_forward(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 delay_rows, i64 delay_columns,
    i64 own_delay_rows, i64 own_delay_columns, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* weight, const float* own_weight, const i32* delay,
    const i32* own_delay, const float* constants, float* state, float* ring, i32* ready, u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    const Projection own = {own_weight, n_neurons, own_delay, own_delay_rows, own_delay_columns};
    recurrent<false>(n_samples, n_neurons, n_ticks, n_abs, depth, run_base, run_count, run_tick, run_start, address,
                     given, own, constants, nullptr, state, ring, ready, fired);
}

// `recurrent_forward` of leaky integrate-and-fire neurons; own_delay: of a tick or more.
extern "C" __global__ void __launch_bounds__(1024, 1) recurrent_lif_forward(
    i64 n_samples, i64 n_neurons, i64 n_in, i64 n_ticks, i64 n_abs, i64 depth, i64 delay_rows, i64 delay_columns,
    i64 own_delay_rows, i64 own_delay_columns, const i64* run_base, const i64* run_count, const i32* run_tick,
    const i64* run_start, const i32* address, const float* weight, const float* own_weight, const i32* delay,
    const i32* own_delay, const float* constants, const float* drive, float* state, float* ring, i32* ready, u64* fired)
{
    const Projection given = {weight, n_in, delay, delay_rows, delay_columns};
    const Projection own = {own_weight, n_neurons, own_delay, own_delay_rows, own_delay_columns};
    recurrent<true>(n_samples, n_neurons, n_ticks, n_abs, depth, run_base, run_count, run_tick, run_start, address,
                    given, own, constants, drive, state, ring, ready, fired);
}
