// What the kernels use of CUDA, for a C++ compiler: blocks run one after another, their threads as fibers.
//
// A thread runs until it waits for others. When all wait, those of a block (or of a warp) that wait for each other for
// the same reason go on; where nobody can, the kernel is wrong and the launch says so. Threads are run in ascending or
// descending order, so that a barrier that is missing shows in the results of one of the two.

#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>
#include <ucontext.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)

namespace shim {

enum State { READY, WAITING, DONE };
enum Reason { NOTHING, BARRIER, BARRIER_AND, WARP_BARRIER, BALLOT, SHUFFLE };
enum Outcome { FINE, STUCK, LEFT_ALONE };
const int MOST_THREADS = 1024, WARP_SIZE = 32;
const size_t STACK = 64 * 1024;

struct Index { unsigned x; };

struct Fiber {
    ucontext_t begin;
    jmp_buf here;
    char* stack;
    State state;
    Reason reason;
    uint64_t given, got;
    int partner;
};

struct Fibers {
    Fiber of[MOST_THREADS];
    int made = 0, now = 0, n = 0;
    jmp_buf scheduler;
    void (*kernel)(void*) = nullptr;
    void* arguments = nullptr;
};

static Fibers all;

}  // namespace shim

shim::Index threadIdx, blockIdx, blockDim, gridDim;

namespace shim {

static void serve()
{
    for (;;) {
        all.kernel(all.arguments);
        all.of[all.now].state = DONE;
        if (_setjmp(all.of[all.now].here) == 0)
            _longjmp(all.scheduler, 1);
    }
}

static __attribute__((noinline)) void make(Fiber& fiber)
{
    fiber.stack = (char*)malloc(STACK);
    getcontext(&fiber.begin);
    fiber.begin.uc_stack.ss_sp = fiber.stack;
    fiber.begin.uc_stack.ss_size = STACK;
    fiber.begin.uc_link = nullptr;
    makecontext(&fiber.begin, serve, 0);
}

static __attribute__((noinline)) void resume(int i)
{
    all.now = i;
    threadIdx.x = i;
    Fiber& fiber = all.of[i];
    if (_setjmp(all.scheduler) != 0)
        return;
    if (i < all.made)
        _longjmp(fiber.here, 1);
    all.made = i + 1;
    setcontext(&fiber.begin);
}

static __attribute__((noinline)) uint64_t wait(Reason reason, uint64_t given, int partner)
{
    Fiber& fiber = all.of[all.now];
    fiber.state = WAITING;
    fiber.reason = reason;
    fiber.given = given;
    fiber.partner = partner;
    if (_setjmp(fiber.here) == 0)
        _longjmp(all.scheduler, 1);
    return fiber.got;
}

// Whether the fibers first..last-1 all wait for the same reason, one that concerns so many; if so they go on.
static bool release(int first, int last, bool is_block)
{
    const Reason reason = all.of[first].reason;
    const bool of_block = reason == BARRIER || reason == BARRIER_AND;
    for (int i = first; i < last; i++)
        if (all.of[i].state != WAITING || all.of[i].reason != reason || of_block != is_block)
            return false;
    uint64_t every = 1, bits = 0;
    for (int i = first; i < last; i++) {
        every = every && all.of[i].given;
        bits |= (uint64_t)(all.of[i].given != 0) << (i - first) % 64;
    }
    for (int i = first; i < last; i++) {
        Fiber& fiber = all.of[i];
        fiber.got = reason == BALLOT ? bits : reason == SHUFFLE ? all.of[first + fiber.partner].given : every;
        fiber.state = READY;
    }
    return true;
}

static Outcome run_block(bool descending)
{
    for (int i = 0; i < all.n; i++) {
        all.of[i].state = READY;
        all.of[i].reason = NOTHING;
    }
    for (;;) {
        // The first round goes up, since fibers are made in that order.
        for (int k = 0; k < all.n; k++) {
            const int i = descending && all.made >= all.n ? all.n - 1 - k : k;
            if (all.of[i].state == READY)
                resume(i);
        }
        int done = 0;
        for (int i = 0; i < all.n; i++)
            done += all.of[i].state == DONE;
        if (done == all.n)
            return FINE;
        bool any = release(0, all.n, true);
        for (int first = 0; first < all.n; first += WARP_SIZE)
            any |= release(first, first + WARP_SIZE < all.n ? first + WARP_SIZE : all.n, false);
        if (!any)
            return done ? LEFT_ALONE : STUCK;
    }
}

template <class Kernel>
static int launch(int64_t blocks, int threads, int descending, Kernel kernel)
{
    for (int i = 0; i < threads; i++)
        if (all.of[i].stack == nullptr)
            make(all.of[i]);
    all.n = threads;
    all.arguments = &kernel;
    all.kernel = [](void* arguments) { (*(Kernel*)arguments)(); };
    blockDim.x = threads;
    gridDim.x = blocks;
#if defined(__x86_64__)
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);  // subnormal numbers count as zero, as the kernels are compiled for GPUs
#endif
    int outcome = FINE;
    for (int64_t b = 0; b < blocks && outcome == FINE; b++) {
        blockIdx.x = b;
        outcome = run_block(descending != 0);
    }
#if defined(__x86_64__)
    _mm_setcsr(mode);
#endif
    if (outcome != FINE)
        all.made = 0, memset(all.of, 0, sizeof all.of);  // fibers that wait for ever are given up, with their stacks
    return outcome;
}

template <class T>
static T shuffled(T value, int partner)
{
    static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle is of up to 64 bits");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = wait(SHUFFLE, bits, partner);
    memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace shim

static inline void __syncthreads() { shim::wait(shim::BARRIER, 1, 0); }
static inline int __syncthreads_and(int p) { return (int)shim::wait(shim::BARRIER_AND, p != 0, 0); }
static inline float __ldcg(const float* place) { return *place; }
static inline void __syncwarp() { shim::wait(shim::WARP_BARRIER, 1, 0); }
static inline unsigned __ballot_sync(unsigned, int p) { return (unsigned)shim::wait(shim::BALLOT, p != 0, 0); }
template <class T>
static inline T __shfl_xor_sync(unsigned, T value, int mask)
{
    return shim::shuffled(value, (int)(threadIdx.x % 32) ^ mask);
}
template <class T>
static inline T __shfl_sync(unsigned, T value, int lane)
{
    return shim::shuffled(value, lane);
}
static inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
static inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
static inline int __ffs(int bits) { return __builtin_ffs(bits); }
static inline int __ffsll(unsigned long long bits) { return __builtin_ffsll((long long)bits); }
// A number by its float16 bits, of finite ones.
static inline float float_of_half(unsigned short bits)
{
    const int size = bits & 0x3ff, exponent = bits >> 10 & 31;
    const float value = exponent ? ldexpf(1024 + size, exponent - 25) : ldexpf(size, -24);
    return bits & 0x8000 ? -value : value;
}
static inline int __float_as_int(float x) { int bits; memcpy(&bits, &x, sizeof x); return bits; }
static inline float __int_as_float(int bits) { float x; memcpy(&x, &bits, sizeof x); return x; }
template <class T>
static inline T atomicAdd(T* place, T value)
{
    static_assert(std::is_integral<T>::value, "sums of floats would depend on who comes first");
    const T before = *place;
    *place += value;
    return before;
}
template <class T>
static inline T atomicOr(T* place, T value)
{
    static_assert(std::is_integral<T>::value, "bits of whole numbers");
    const T before = *place;
    *place |= value;
    return before;
}
template <class T>
static inline T atomicMax(T* place, T value)
{
    static_assert(std::is_integral<T>::value, "only those of whole numbers are used");
    const T before = *place;
    *place = before < value ? value : before;
    return before;
}
template <class T>
static inline T atomicCAS(T* place, T expected, T value)
{
    static_assert(std::is_integral<T>::value, "only those of whole numbers are used");
    const T before = *place;
    *place = before == expected ? value : before;
    return before;
}
