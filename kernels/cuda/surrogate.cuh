// rho(u) = peak exp(-|u - theta| / width), by the polynomial of kernels/cpu/surrogate.py, and to the same bits.

__device__ inline float surrogate(float u, float theta, float width, float peak)
{
    const float x = fmaxf(-fabsf(u - theta) / width, -87.0f);
    const float n = floorf(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * (r * r) + r + 1.0f;
    return peak * y * __int_as_float(((i32)n + 127) << 23);
}
