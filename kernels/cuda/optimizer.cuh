// Optimiser steps on one weight, as in kernels/cpu/optimizer.py.

enum { RATE, KEEP_MEAN, ADD_MEAN, KEEP_SQUARE, ADD_SQUARE, ROOT, EPSILON, OF_MEAN, OF_GRADIENT, DECAY };

__device__ inline void adam(float gradient, const float* settings, float* weight, float* mean, float* square)
{
    const float m = settings[KEEP_MEAN] * *mean + settings[ADD_MEAN] * gradient;
    const float v = settings[KEEP_SQUARE] * *square + settings[ADD_SQUARE] * (gradient * gradient);
    *mean = m;
    *square = v;
    const float old = *weight, ahead = settings[OF_MEAN] * m + settings[OF_GRADIENT] * gradient;
    const float change = settings[RATE] * ahead / (sqrtf(v) * settings[ROOT] + settings[EPSILON]);
    *weight = old - (change + settings[DECAY] * old);
}

__device__ inline void sgd(float gradient, const float* settings, float* weight, float* velocity)
{
    const float v = settings[KEEP_MEAN] * *velocity + gradient;
    *velocity = v;
    *weight = *weight - settings[RATE] * v;
}
