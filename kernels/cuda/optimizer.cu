// Optimiser steps on arrays of weights, in place; the gradient is set to zero on the way.

extern "C" __global__ void adam_step(
    i64 n, const float* settings, float* weight, float* gradient, float* mean, float* square)
{
    const i64 i = global_index();
    if (i >= n)
        return;
    adam(gradient[i], settings, &weight[i], &mean[i], &square[i]);
    gradient[i] = 0.0f;
}

extern "C" __global__ void sgd_step(i64 n, const float* settings, float* weight, float* gradient, float* velocity)
{
    const i64 i = global_index();
    if (i >= n)
        return;
    sgd(gradient[i], settings, &weight[i], &velocity[i]);
    gradient[i] = 0.0f;
}
