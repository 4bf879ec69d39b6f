// What neurons in continuous time have in common, whatever their model: a thread runs one through the windows of a
// list.
//
// A block of 64 threads has an item, one list in one tile of 64 neurons; items are numbered tile * n_lists + list. A
// list is a sample, or a sample at a patch of a convolution: patch * n_batch + sample.

#define BOUND_MARGIN 1e-9
// Of the thresholds: what the rounding of a tick's potential to float32 cannot reach.
#define SAMPLED_MARGIN 1e-5

// Entries of the totals of a run: neurons that were taken over a window, how many of those were one event at a time,
// and spikes for which there was no room.
enum Total { TAKEN, SINGLY, LEFT_OUT, TOTALS };

// Add the numbers of a block's 64 threads to a total.
__device__ inline void add_up(i64 value, i64* total)
{
    __shared__ i64 values[TILE];
    __syncthreads();
    values[threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    for (int i = 1; i < TILE; i++)
        value += values[i];
    if (value != 0)
        atomicAdd((u64*)total, (u64)value);
}

// Where the neurons of a layer put their spikes: neuron j of sample b has list b * n_neurons + j. A list has room for
// `room` spikes; or, if that is 0, stands at spike_ptr, where it has just enough.
struct SpikeLists {
    i64 n_batch, n_neurons, room;
    const i64* spike_ptr;
    double* spike_time;
};

// The neurons of a layer: weight[tiles, n_in, 64]; neuron, theta and least[places, 64], of a tile at each of its
// patches: the address of every lane, or -1, and its threshold, see kernels/cpu/exact.py.
struct TimedLayer {
    i64 n_lists, n_in;
    const float* weight;
    const i32* neuron;
    const double* theta;
    const float* least;
};

struct TimedNeuron {
    const float* rows;  // [n_in, 64], of its lane
    double theta;
    float least;
    double spike;   // when it spiked last
    i64 list;       // of its spikes, or -1
    double* times;  // its spikes, of which so many are kept; all are counted
    i64 room, spikes, singles;

    // The thread's neuron before any input.
    __device__ TimedNeuron(const TimedLayer& layer, const SpikeLists& lists)
    {
        const i64 item = blockIdx.x, lane = item / lists.n_batch * TILE + threadIdx.x;
        rows = layer.weight + item / layer.n_lists * layer.n_in * TILE + threadIdx.x;
        theta = layer.theta[lane];
        least = layer.least[lane];
        spike = NEVER;
        spikes = singles = room = 0;
        times = lists.spike_time;
        list = layer.neuron[lane] < 0 ? -1 : item % lists.n_batch * lists.n_neurons + layer.neuron[lane];
        if (list >= 0) {
            const i64 first = lists.room > 0 ? list * lists.room : lists.spike_ptr[list];
            room = lists.room > 0 ? lists.room : lists.spike_ptr[list + 1] - first;
            times += first;
        }
    }

    __device__ bool is_neuron() const { return theta < NO_TIME; }

    // What a constant input takes away from the potential at the start: what the threshold is less by.
    __device__ double start(const double* constants) const
    {
        return is_neuron() ? theta - constants[EXACT_THETA] : 0.0;
    }

    // What is less than its threshold by `below`, and by a share of it out of rounding's reach.
    __device__ double limit(double below, double margin, const double* constants) const
    {
        return theta - below - margin * (constants[EXACT_THETA] + fabs(theta));
    }

    // Write a spike down, where there is room.
    __device__ void put(double time)
    {
        if (spikes < room)
            times[spikes] = time;
        spikes++;
    }

    // What is known in the end, after so many windows; all of a block's threads say it together.
    __device__ void finish(i64 windows, i64* spike_count, i64* totals) const
    {
        if (list >= 0)
            spike_count[list] = spikes;
        add_up(is_neuron() ? windows : 0, &totals[TAKEN]);
        add_up(singles, &totals[SINGLY]);
        add_up(spikes > room ? spikes - room : 0, &totals[LEFT_OUT]);
    }
};
