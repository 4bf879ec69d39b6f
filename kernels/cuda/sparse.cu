// A sparse layer of SRM neurons on the tick clock, forward; see kernels/cpu/sparse.py, whose order of every operation
// this keeps.
//
// What reaches a tile of 64 neurons is listed first, for some ticks at a time: an arrival for each synapse that a spike
// crosses, by (item, tick) and there in the order of the spikes. So the work follows the synapses that are crossed,
// however many tiles there are, and a tile reads what it gets in the order in which it stands. Items are numbered
// tile * n_samples + sample.

#define LIST_THREADS 128

// An arrival: the lane that a synapse goes to, and the bits of its weight.
__device__ __forceinline__ u64 arrival_of(i32 lane, float weight)
{
    return (u64)lane << 32 | (u32)__float_as_int(weight);
}

// crossed[n_ticks], synapses that the spikes of each tick cross, of all samples; zero before.
extern "C" __global__ void count_crossed(
    i64 n_spikes, const i32* address, const i32* tick, const i64* row_start, i64* crossed)
{
    const i64 k = global_index();
    if (k < n_spikes)
        atomicAdd((u64*)&crossed[tick[k]], (u64)(row_start[address[k] + 1] - row_start[address[k]]));
}

// Spikes of one sample in one tick of the ticks first_tick..first_tick + n_listed - 1, and where the arrivals of tile 0
// in this tick are counted; a block for each.
struct Row {
    i64 sample, tick, spike, spike_end;
};

__device__ inline Row row_of_block(i64 n_ticks, i64 first_tick, i64 n_listed, const i64* tick_ptr)
{
    Row own;
    own.sample = blockIdx.x / n_listed;
    own.tick = blockIdx.x % n_listed;
    const i64* ptr = tick_ptr + own.sample * n_ticks + first_tick + own.tick;
    own.spike = ptr[0];
    own.spike_end = ptr[1];
    return own;
}

// Where the arrivals at a neuron in a row's tick are counted.
__device__ __forceinline__ i64 place_of(const Row& row, i64 neuron, i64 n_samples, i64 n_listed)
{
    return (neuron / TILE * n_samples + row.sample) * n_listed + row.tick;
}

// count[items * n_listed], arrivals of every item and tick; zero before. A warp for each spike of the block's row.
extern "C" __global__ void count_arrivals(
    i64 n_rows, i64 n_samples, i64 n_ticks, i64 first_tick, i64 n_listed, const i64* tick_ptr, const i32* address,
    const i64* row_start, const i32* target, i64* count)
{
    (void)n_rows;
    const Row row = row_of_block(n_ticks, first_tick, n_listed, tick_ptr);
    for (i64 k = row.spike + threadIdx.x / WARP; k < row.spike_end; k += blockDim.x / WARP)
        for (i64 s = row_start[address[k]] + threadIdx.x % WARP; s < row_start[address[k] + 1]; s += WARP)
            atomicAdd((u64*)&count[place_of(row, target[s], n_samples, n_listed)], (u64)1);
}

// arrival[...], list_ptr[items * n_listed + 1] on. One spike after the other, all threads at its synapses: these go to
// neurons of which none is twice among them, so that their order does not matter. count counts down to zero. Where the
// synapses of the next spikes stand is fetched for as many as there are threads, or every spike would wait for it.
extern "C" __global__ void list_arrivals(
    i64 n_rows, i64 n_samples, i64 n_ticks, i64 first_tick, i64 n_listed, const i64* tick_ptr, const i32* address,
    const i64* row_start, const i32* target, const float* weight, const i64* list_ptr, i64* count, u64* arrival)
{
    (void)n_rows;
    __shared__ i64 first[LIST_THREADS], last[LIST_THREADS];
    const Row row = row_of_block(n_ticks, first_tick, n_listed, tick_ptr);
    for (i64 from = row.spike; from < row.spike_end; from += LIST_THREADS) {
        const int n = row.spike_end - from < LIST_THREADS ? (int)(row.spike_end - from) : LIST_THREADS;
        if ((int)threadIdx.x < n) {
            const i32 source = address[from + threadIdx.x];
            first[threadIdx.x] = row_start[source];
            last[threadIdx.x] = row_start[source + 1];
        }
        __syncthreads();
        for (int k = 0; k < n; k++) {
            for (i64 s = first[k] + threadIdx.x; s < last[k]; s += LIST_THREADS) {
                const i64 at = place_of(row, target[s], n_samples, n_listed);
                const i64 left = (i64)atomicAdd((u64*)&count[at], ~(u64)0);  // one less
                arrival[list_ptr[at + 1] - left] = arrival_of(target[s] % TILE, weight[s]);
            }
            __syncthreads();  // the next spike's come behind them
        }
    }
}

// Sum of the weights of the arrivals first..last-1 at this thread's lane, in their order.
__device__ inline float sum_arrivals(const u64* arrival, i64 first, i64 last)
{
    __shared__ u64 some[TILE];
    float total = 0.0f;
    for (i64 from = first; from < last; from += TILE) {
        const int n = last - from < TILE ? (int)(last - from) : TILE;
        __syncthreads();  // those before may still be read
        if ((int)threadIdx.x < n)
            some[threadIdx.x] = arrival[from + threadIdx.x];
        __syncthreads();
        for (int k = 0; k < n; k++)
            if ((u32)(some[k] >> 32) == threadIdx.x)
                total = total + __int_as_float((i32)some[k]);
    }
    return total;
}

// Bring a state n ticks forward, in which it had no input and nobody fires.
__device__ inline void catch_up(const SrmConstants& c, Srm& s, i64 n)
{
    if (n >= GAP)
        jump(c, s, n);
    else
        for (; n > 0; n--)
            step(c, s);
}

// Spikes of all items in the ticks first_tick..last_tick-1, fired[items, n_ticks] as in `dense_forward`, zero before.
// run_base, ... run_start: the ticks, from first_tick on, in which each item has arrivals. state[items, 4, 64], ready
// [items, 64] and since[items] are what is known at first_tick, and then at last_tick; zero at tick 0. since: the tick
// from which on an item is at rest, -1 where it is stepped.
extern "C" __global__ void sparse_forward(
    i64 n_items, i64 n_samples, i64 n_neurons, i64 n_ticks, i64 n_abs, i64 first_tick, i64 last_tick, float reach,
    const i64* run_base, const i64* run_count, const i32* run_tick, const i64* run_start, const u64* arrival,
    const float* constants, const float* decays, float* state, i64* since, i32* ready, u64* fired)
{
    (void)n_items;
    const i64 item = blockIdx.x;
    const bool is_neuron = item / n_samples * TILE + threadIdx.x < n_neurons;
    const SrmConstants c = srm_constants(constants, decays, reach, n_ticks);
    const float gain = constants[GAIN_SYN], limit = c.theta * MARGIN;
    float* own = state + item * 4 * TILE + threadIdx.x;
    Srm s = {own[0], own[TILE], own[2 * TILE], own[3 * TILE]};
    i64 run = run_base[item], rest = since[item], t = first_tick, awake = ready[item * TILE + threadIdx.x];
    const i64 run_end = run + run_count[item];
    i64 next = run < run_end ? first_tick + run_tick[run] : last_tick;
    while (rest < 0 ? t < last_tick : next < last_tick) {
        if (rest >= 0) {
            catch_up(c, s, next - rest);
            t = next;
            rest = -1;
        } else {
            step(c, s);
            const bool fires = is_neuron && t >= awake && s.q + s.qr >= c.theta;
            write_bits(fired + item * n_ticks, t, fires);
            if (fires) {
                s.pr = s.pr + c.kick;
                awake = t + n_abs;
            }
            if (stays_below(c, s, limit, 0.0f, 0.0f) && t < next)
                rest = t;
        }
        if (t == next) {
            s.p = s.p + gain * sum_arrivals(arrival, run_start[run], run_start[run + 1]);
            run++;
            next = run < run_end ? first_tick + run_tick[run] : last_tick;
        }
        t++;
    }
    own[0] = s.p;
    own[TILE] = s.q;
    own[2 * TILE] = s.pr;
    own[3 * TILE] = s.qr;
    ready[item * TILE + threadIdx.x] = (i32)(awake < n_ticks ? awake : n_ticks);
    __syncthreads();  // all have read it
    if (threadIdx.x == 0)
        since[item] = rest;
}
