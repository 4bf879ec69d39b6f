// What neurons in continuous time have in common, whatever their model: a thread runs one through the windows of a sample.

#define BOUND_MARGIN 1e-9

struct TimedNeuron {
    const float* rows;  // [n_in, 64], of its lane
    double theta;
    float least;
    double spike;   // when it spiked last
    double* times;  // its spikes, of which so many are kept; all are counted
    i64 room, spikes, singles;

    // The thread's neuron before any input; spike_ptr[items * 64 + 1]: where there is room for the spikes of every lane.
    __device__ TimedNeuron(
        i64 n_samples, i64 n_in, const float* weight, const double* theta_of, const float* least_of,
        const i64* spike_ptr, double* spike_time)
    {
        const i64 tile = blockIdx.x / n_samples, own = (i64)blockIdx.x * TILE + threadIdx.x;
        rows = weight + tile * n_in * TILE + threadIdx.x;
        theta = theta_of[tile * TILE + threadIdx.x];
        least = least_of[tile * TILE + threadIdx.x];
        spike = NEVER;
        times = spike_time + spike_ptr[own];
        room = spike_ptr[own + 1] - spike_ptr[own];
        spikes = singles = 0;
    }

    // What a constant input takes away from the potential at the start: what the threshold is less by.
    __device__ double start(const double* constants) const
    {
        return theta < NO_TIME ? theta - constants[EXACT_THETA] : 0.0;
    }

    // Write a spike down, where there is room.
    __device__ void put(double time)
    {
        if (spikes < room)
            times[spikes] = time;
        spikes++;
    }
};
