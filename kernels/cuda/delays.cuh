// Spikes that take their time: a neuron's ring, and what puts weights into it.

// Synapses from some neurons to a tile's. delay: ticks, [1, 1] of all, [n_in, 1] by presynaptic neuron, or by synapse.
struct Projection {
    const float* weight;
    i64 n_in;
    const i32* delay;
    i64 delay_rows, delay_columns;
};

// Puts spikes of one tick on their way to one neuron; its ring has a place for every tick that they can arrive at,
// `step` numbers apart.
struct Sender {
    const float* rows;  // of the neuron's tile, from the first presynaptic neuron
    const i32* delay;   // of the neuron, likewise, with so many numbers for each
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
        const float weight = rows[source * TILE + threadIdx.x % TILE];
        if (is_common)
            total = total + weight;
        else
            send(weight, delay[source * stride]);
    }

    __device__ void finish()
    {
        if (is_common)
            send(total, delay[0]);
    }

    // All of address[first..last-1], where there are any.
    __device__ void send_all(const i32* address, i64 first, i64 last)
    {
        if (is_common)
            total = sum_rows(rows, address, first, last);
        else
            for (i64 k = first; k < last; k++)
                add(address[k]);
        finish();
    }
};

__device__ inline Sender sender_of(
    const Projection& from, i64 neuron, i64 tick, i64 n_ticks, i64 depth, i64 step, float* ring)
{
    Sender out;
    out.rows = from.weight + neuron / TILE * from.n_in * TILE;
    out.delay = from.delay + (from.delay_columns == 1 ? 0 : neuron);
    out.stride = from.delay_columns;
    out.tick = tick;
    out.n_ticks = n_ticks;
    out.depth = depth;
    out.step = step;
    out.is_common = from.delay_rows * from.delay_columns == 1;
    out.ring = ring;
    out.total = 0.0f;
    return out;
}
