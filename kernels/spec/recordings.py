"""Recordings and series: decoded, filtered and made into spikes; and the synthetic camera."""

from eventsim.kernels.spec.declare import Kernel, kernel

KERNELS: dict[str, Kernel] = {}

KERNELS["bin_events"] = kernel("bin", """
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: width height step n_ticks
    bool: keep_repeats
    out int32[events]: tick address
    out int64[three]: counts
""")

KERNELS["remap_spikes"] = kernel("bin", """
    int32[neurons]: table
    int32[spikes]: tick address
    bool: keep_repeats
    scratch int64[ticks]: tick_end
    out int32[spikes]: new_tick new_address
    out int64[four]: counts
""")

KERNELS["survey_events"] = kernel("decode", """
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: last
    out int64[four]: facts
""")

# What decoders write.
_COLUMNS = """out int64[events]: t
    out uint16[events]: x y
    out uint8[events]: p"""

KERNELS["decode_nmnist"] = kernel("decode", f"""
    uint8[bytes]: data
    int64: base overflow_y overflow_us
    {_COLUMNS}
    out int64[one]: count
""")

KERNELS["decode_aedat2"] = kernel("decode_aedat", f"""
    uint8[bytes]: data
    int64[ten]: layout
    {_COLUMNS}
    out int64[two]: state
    out int64[five]: facts
""")

KERNELS["decode_aedat3"] = kernel("decode_aedat", f"""
    uint8[bytes]: data
    {_COLUMNS}
    out int64[five]: state facts
    out int64[fifteen]: skipped
""")

KERNELS["decode_es"] = kernel("decode_es", f"""
    uint8[bytes]: data
    {_COLUMNS}
    out int64[one]: state
    out int64[three]: facts
""")

_WORDS_TO_EVENTS = f"""
    out int64[values]: state
    {_COLUMNS}
    out int64[two]: progress
    out int64[sixteen]: kinds
"""

KERNELS["decode_evt2"] = kernel("decode_prophesee", f"uint32[words]: words {_WORDS_TO_EVENTS}")
KERNELS["decode_evt3"] = kernel("decode_prophesee", f"uint16[words]: words {_WORDS_TO_EVENTS}")

KERNELS["decode_dat"] = kernel("decode_prophesee", f"""
    uint32[words]: words
    int64: x_bits y_bits
    out int64[one]: state
    {_COLUMNS}
""")

for _name in ("decode_bs1", "decode_bs3"):
    KERNELS[_name] = kernel("decode_slayer", f"""
        uint8[bytes]: data
        {_COLUMNS}
    """)

KERNELS["denoise_events"] = kernel("filters", """
    int64[events]: t
    uint16[events]: x y
    int64: width height window
    scratch int64[pixels]: last
    out bool[events]: keep
""")

KERNELS["refract_events"] = kernel("filters", """
    int64[events]: t
    int32[events]: address
    int64: period
    scratch int64[addresses]: ready
    out bool[events]: keep
""")

KERNELS["integrate_shares"] = kernel("encode", """
    float64[rows,neurons]: share
    int64: n_ticks
    scratch float64[neurons]: filled
    out int32[spikes]: tick address
    out int64[one]: count
""")

KERNELS["delta_steps"] = kernel("encode", """
    float64[ticks,neurons]: series
    float64: threshold
    int64: most
    scratch int64[neurons]: level
    out int32[ticks,neurons]: steps
""")

KERNELS["camera_events"] = kernel("camera", """
    float64[rows,columns]: scene
    int64[steps]: row column
    float64[steps]: down right
    int64: width height
    float64: step follow leak
    float64[polarities,pixels]: threshold
    float64[pixels]: refractory phase
    out int64[two]: progress
    out float64[events]: t
    out uint16[events]: x y
    out uint8[events]: p
""")
