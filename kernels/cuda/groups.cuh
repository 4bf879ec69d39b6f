// Spikes of one (sample, tick) that share a key, address % n_keys: found by a table with two places for every spike, in
// each row's own stretch, where keys lie at the first free place from that of their hash on. An entry is n_spikes less
// the group's first spike; 0: free. Where a key lies depends on who comes first, which spike is its first does not.

struct Groups {
    i64 n_spikes, n_keys;
    const i64* tick_ptr;
    const i32* address;
};

__device__ __forceinline__ i64 key_of(const Groups& of, i64 spike) { return of.address[spike] % of.n_keys; }

// The stretch of a row, and the place at which a key is looked for first.
struct Stretch {
    i64 begin, room, at;

    __device__ void go_on() { at = at + 1 == room ? 0 : at + 1; }
    __device__ i64 place() const { return begin + at; }
};

__device__ inline Stretch stretch_of(const Groups& of, i64 row, i64 key)
{
    Stretch own;
    own.begin = 2 * of.tick_ptr[row];
    own.room = 2 * of.tick_ptr[row + 1] - own.begin;
    own.at = own.room == 0 ? 0 : (i64)((u32)key * 2654435769u) % own.room;  // Knuth's multiplicative hash
    return own;
}

// The spikes of a key in a row; count: of each group, at its first spike.
__device__ inline i64 count_of(const Groups& of, i64 row, i64 key, const u64* table, const i64* count)
{
    Stretch own = stretch_of(of, row, key);
    for (; own.room != 0 && table[own.place()] != 0; own.go_on()) {
        const i64 first = of.n_spikes - (i64)table[own.place()];
        if (key_of(of, first) == key)
            return count[first];
    }
    return 0;
}
