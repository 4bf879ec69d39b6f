// One sample through one tile of 64 neurons: the sweep of kernels/cpu/sweep.py, whose order of every operation this
// keeps, so that the bits are the same. A block has 64 threads, one a neuron; where only spikes are wanted, and there
// are few blocks, it has as many for each of RUNS_AT_ONCE: see `sum_of_run`.

// Threads of a wide block. Kernels say that WIDE_BLOCKS of them have to fit a multiprocessor, which leaves ptxas the
// registers in which eight rows can be on their way.
#define WIDE_THREADS (RUNS_AT_ONCE * TILE)

// What a sweep is for: spikes; those, and what u is where low <= u < high; or, once more, what rho is in every tick.
enum Purpose { SPIKES, SPIKES_AND_ACTIVE, RHO };

// What a sweep keeps for the backward pass.
struct Kept {
    OwnChunk* chunk;            // SPIKES_AND_ACTIVE
    float* rho;                 // RHO: [n_ticks, 64]
    float rho_width, rho_peak;  // of the same

    __device__ float low() const { return chunk->lists->u_low; }
};

// What a tile gets and has: its weights, its sample's runs of input spikes, and its lane's column of the drive, or
// null.
template <class Weight>
struct ItemOf {
    const Weight* rows;
    float gain;
    bool is_neuron;
    i64 run, run_end;
    const float* drive;
};

typedef ItemOf<float> Item;

template <class Weight>
__device__ __forceinline__ float driven(const ItemOf<Weight>& item, int row)
{
    return item.drive == nullptr ? 0.0f : item.drive[row * TILE];
}

// Keep what is wanted of tick t, at which a neuron that is not dead is awake.
template <Purpose PURPOSE>
__device__ __forceinline__ void keep(const Kept& kept, i64 t, float u, float theta, bool may_fire, bool is_awake)
{
    if (PURPOSE == SPIKES_AND_ACTIVE)
        kept.chunk->keep(t, u, may_fire);
    if (PURPOSE == RHO)  // that of minus infinity vanishes, as it should in dead ticks
        kept.rho[t * TILE + threadIdx.x] =
            surrogate(is_awake ? u : MINUS_INFINITY, theta, kept.rho_width, kept.rho_peak);
}

// The sum of the rows of a run, of which the runs before have been asked for. Sums do not depend on what the neurons
// do, and most of a small batch's time is spent waiting for rows, so that in a wide block every 64 threads sum up one
// of the next runs; all of them step the neurons, whose few operations are not worth another barrier. Large batches
// have blocks enough to hide that time, and stepping neurons several times would cost them more than it gives. known:
// the runs up to there are summed up; at first none.
template <Purpose PURPOSE, class Weight>
__device__ __forceinline__ float sum_of_run(
    i64 run, i64* known, const ItemOf<Weight>& item, const i64* run_start, const i32* address)
{
    const int at_once = blockDim.x / TILE;
    if (PURPOSE != SPIKES || at_once == 1)
        return sum_rows<true>(item.rows, address, run_start[run], run_start[run + 1]);
    __shared__ float sums[RUNS_AT_ONCE][TILE];
    const int lane = threadIdx.x % TILE;
    if (run == *known) {
        const i64 own = run + threadIdx.x / TILE;
        __syncthreads();  // sums before may still be read
        if (own < item.run_end)
            sums[own - run][lane] = sum_rows<true>(item.rows, address, run_start[own], run_start[own + 1]);
        __syncthreads();
        *known = run + at_once;
    }
    return sums[at_once - (*known - run)][lane];
}

// Whether this thread says what its neuron does: of those that step it the first.
template <Purpose PURPOSE>
__device__ __forceinline__ bool is_speaker()
{
    return PURPOSE != SPIKES || threadIdx.x < TILE;
}

// Step a tile from tick t on. A silence in which nobody can fire is jumped over in closed form. Where something is kept
// of its ticks they are stepped through all the same, and the state that the jump gives is taken after that, so that
// the spikes do not depend on what is kept. A psp of n_taps, 0: without an end, counts for the last time at age n_taps
// - 1; then what the system without an end holds of it is taken off.
template <Purpose PURPOSE, class Weight>
__device__ inline void sweep_item(
    i64 t, i64 n_ticks, i64 n_abs, i64 n_taps, ItemOf<Weight> item, const i32* run_tick, const i64* run_start,
    const i32* address, const SrmConstants& c, const Kept& kept, u64* fired)
{
    const float limit = c.theta * MARGIN, base = driven(item, BASE), slack = driven(item, SLACK);
    Srm s = {driven(item, FIRST_P), driven(item, FIRST_Q), 0.0f, 0.0f};
    i64 ready = 0, landing = -1, leap = 0, ended = item.run, known = item.run;
    Srm left = s;
    i64 next = item.run < item.run_end ? run_tick[item.run] : n_ticks;
    while (t < n_ticks) {
        if (PURPOSE != SPIKES && t == landing) {
            s = left;
            jump(c, s, leap);
        }
        step(c, s);
        const float u = s.q + s.qr + base;
        const bool may_fire = item.is_neuron && t >= ready;
        keep<PURPOSE>(kept, t, u, c.theta, may_fire, t >= ready);
        const bool fires = may_fire && u >= c.theta;
        if (PURPOSE != RHO)
            write_bits(fired, t, fires && is_speaker<PURPOSE>());
        if (fires) {
            ready = t + n_abs;
            s.pr = s.pr + c.kick;
        }
        if (t == next) {
            s.p = s.p + item.gain * sum_of_run<PURPOSE>(item.run, &known, item, run_start, address);
            item.run++;
            next = item.run < item.run_end ? run_tick[item.run] : n_ticks;
        }
        if (n_taps > 0 && ended < item.run && run_tick[ended] == t - (n_taps - 1)) {
            const float total = sum_rows<true>(item.rows, address, run_start[ended], run_start[ended + 1]);
            s.p = s.p - c.cut_p * total;
            s.q = s.q - c.cut_q * total;
            ended++;
        }
        t++;
        i64 to = next;
        if (n_taps > 0 && ended < item.run && run_tick[ended] + n_taps - 1 < to)
            to = run_tick[ended] + n_taps - 1;
        if (to - t >= GAP && (PURPOSE == SPIKES || t > landing) && stays_below(c, s, limit, base, slack)) {
            if (PURPOSE == RHO
                || (PURPOSE == SPIKES_AND_ACTIVE && !stays_below(c, s, lowered(kept.low()), base, slack))) {
                landing = to;
                leap = to - t;
                left = s;
            } else {
                if (to < n_ticks)
                    jump(c, s, to - t);
                t = to;
            }
        }
    }
}

// An item of a layer. Items are numbered tile * n_samples + sample; drive may be null.
template <class Weight>
__device__ inline ItemOf<Weight> item_of(
    i64 item, i64 n_samples, i64 n_neurons, i64 n_in, i64 n_batch, const Weight* weight, const float* gain,
    const i64* run_base, const i64* run_count, const float* drive)
{
    const i64 tile = item / n_samples, sample = item % n_samples, lane = threadIdx.x % TILE;
    ItemOf<Weight> own;
    own.rows = weight + tile * n_in * TILE;
    own.gain = gain[tile * TILE + lane];
    own.is_neuron = tile * TILE + lane < n_neurons;
    own.run = run_base[sample];
    own.run_end = own.run + run_count[sample];
    own.drive = nullptr;
    if (drive != nullptr)
        own.drive = drive + (tile * (n_samples / n_batch) + sample / n_batch) * DRIVE_ROWS * TILE + lane;
    return own;
}

// The tick from which on an item is stepped: that of its first input, but the first of all where neurons may move
// without any, or where u = 0 is active.
template <Purpose PURPOSE, class Weight>
__device__ __forceinline__ i64 begin_of(
    const ItemOf<Weight>& own, i64 moving, i64 n_ticks, const i32* run_tick, const Kept& kept)
{
    if (moving || PURPOSE == RHO || (PURPOSE == SPIKES_AND_ACTIVE && kept.chunk->lists->counts(0.0f)))
        return 0;
    return own.run < own.run_end ? run_tick[own.run] : n_ticks;
}
