"""Vectors of a float64 for each of a tile's 64 neurons, for the exact clock; see `vector`.

    load_wide(rows, row), store_wide(v, rows, row)      a row of float64[R, 64]
    wide_zeros(), wide_splat(x), widened(v)             64 zeros, 64 times x, a vector of float32 as float64
    fused(a, b, c)                                      a * b + c, rounded once, on every machine
    larger(a, b), reach(a, b)                           lane by lane the larger, and the bits of a >= b
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from eventsim.kernels.cpu.vector import FLOATS, Vector, row_pointer, splatted
from eventsim.kernels.layout import TILE

DOUBLES = Vector("float64", TILE)


@intrinsic
def load_wide(typingctx, rows, row):
    """A row of float64[R, 64]."""

    def codegen(context, builder, signature, args):
        return builder.load(row_pointer(context, builder, rows, *args, DOUBLES.llvm), align=8)

    return DOUBLES(rows, types.intp), codegen


@intrinsic
def store_wide(typingctx, values, rows, row):
    """Write a vector to a row of float64[R, 64]."""

    def codegen(context, builder, signature, args):
        builder.store(args[0], row_pointer(context, builder, rows, args[1], args[2], DOUBLES.llvm), align=8)
        return context.get_dummy_value()

    return types.void(DOUBLES, rows, types.intp), codegen


@intrinsic
def wide_zeros(typingctx):
    """64 zeros."""
    return DOUBLES(), lambda context, builder, signature, args: ir.Constant(DOUBLES.llvm, [0.0] * TILE)


@intrinsic
def wide_splat(typingctx, value):
    """64 times the same float64."""
    return DOUBLES(types.float64), lambda context, builder, signature, args: splatted(builder, args[0], DOUBLES.llvm)


@intrinsic
def widened(typingctx, values):
    """float32 as float64, lane by lane."""
    return DOUBLES(FLOATS), lambda context, builder, signature, args: builder.fpext(args[0], DOUBLES.llvm)


@intrinsic
def narrowed(typingctx, values):
    """float64 rounded to float32, lane by lane."""
    return FLOATS(DOUBLES), lambda context, builder, signature, args: builder.fptrunc(args[0], FLOATS.llvm)


@intrinsic
def fused(typingctx, a, b, c):
    """a * b + c lane by lane, rounded once, whether the machine has an instruction for it or not."""

    def codegen(context, builder, signature, args):
        bits = "f64" if a == DOUBLES else "f32"
        kind = ir.FunctionType(a.llvm, [a.llvm] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{TILE}{bits}"), args)

    return (a(a, a, a), codegen) if a == b == c and a in (FLOATS, DOUBLES) else None


@intrinsic
def larger(typingctx, a, b):
    """a where it is above b, else b: one instruction."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return (a(a, a), codegen) if a == b and a in (FLOATS, DOUBLES) else None


@intrinsic
def reach(typingctx, a, b):
    """uint64 whose bit k is not ``a[k] < b[k]``: also where a number is none."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(builder.fcmp_unordered(">=", *args), ir.IntType(64))

    return types.uint64(DOUBLES, DOUBLES), codegen
