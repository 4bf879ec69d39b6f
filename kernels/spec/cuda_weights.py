"""Kernels on a GPU that make the rows of weights of a step, and the constant input of its neurons."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

KERNELS["expand_rows"] = by_thread("weights", "n", """
    int64: n
    int32[tiles,n_in,lanes]: index
    float32[rows,lanes]: packed
    out float32[tiles,n_in,lanes]: rows
""")

KERNELS["scale_rows"] = by_thread("weights", "n", """
    int64: n n_in
    float32[n_in]: counts
    float32[tiles,n_in,lanes]: weight
    out float32[tiles,n_in,lanes]: rows
""")

KERNELS["constant_input"] = by_thread("weights", "n", """
    int64: n n_in n_kinds
    float64[n_in]: constant
    uint8[kinds,n_in]: inside
    float32[tiles,n_in,lanes]: weight
    out float64[tiles,kinds,lanes]: total
""")

_GIVEN = """
    int32[places,lanes]: neuron
    int64[patches]: kind
    float64[neurons]: bias
    float64[tiles,kinds,lanes]: total
"""

KERNELS["drive_srm"] = by_thread("weights", "n", f"""
    int64: n n_patches n_kinds has_bias has_total
    float64: rounding
    {_GIVEN}
    float32[constants]: constants
    out float32[places,rows,lanes]: drive
""")

KERNELS["drive_lif"] = by_thread("weights", "n", f"""
    int64: n n_patches n_kinds has_bias has_total
    {_GIVEN}
    out float32[places,rows,lanes]: drive
""")

KERNELS["find_scales"] = launched("weights", "n_tiles", """
    int64: n_tiles n_in is_whole
    float32[tiles,n_in,lanes]: rows
    out float32[tiles,lanes]: scale
""", threads=1024)

for _name, _type in (("int8", "int8"), ("float16", "uint16")):
    KERNELS[f"round_{_name}"] = by_thread("weights", "n", f"""
        int64: n n_in
        float32[tiles,lanes]: scale
        float32[tiles,n_in,lanes]: rows
        out {_type}[tiles,n_in,lanes]: few
    """)
