"""Vectors of a float64 for each of a tile's 64 neurons, for the exact clock, beside what `vector` does with any.

    wide_zeros(), wide_splat(x), widened(v)             64 zeros, 64 times x, a vector of float32 as float64
    fused(a, b, c)                                      a * b + c, rounded once, on every machine
    larger(a, b), size(a), narrowed(v)                  lane by lane the larger, |a|, and float64 as float32
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from eventsim.kernels.cpu.vector import DOUBLES, FLOATS, Vector, pointer_to, shuffled, splatted
from eventsim.kernels.layout import SEGMENTS, TILE

EIGHT = Vector("float64", SEGMENTS)
_FLOATING = (FLOATS, DOUBLES, EIGHT)


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
        name = f"llvm.fma.v{a.lanes}f{a.element.removeprefix('float')}"
        kind = ir.FunctionType(a.llvm, [a.llvm] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return (a(a, a, a), codegen) if a == b == c and a in _FLOATING else None


@intrinsic
def larger(typingctx, a, b):
    """a where it is above b, else b: one instruction."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return (a(a, a), codegen) if a == b and a in _FLOATING else None


@intrinsic
def size(typingctx, a):
    """|a|, lane by lane."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered("<", args[0], ir.Constant(a.llvm, [0.0] * a.lanes)),
                              builder.fneg(args[0]), args[0])

    return (a(a), codegen) if a in _FLOATING else None


# Eight numbers for the segments of a window, of one neuron.


@intrinsic
def load_eight(typingctx, array, index):
    """``array[index:index + 8]`` of a float64 array of one axis."""

    def codegen(context, builder, signature, args):
        return builder.load(pointer_to(context, builder, array, *args, EIGHT), align=8)

    return EIGHT(array, types.intp), codegen


@intrinsic
def store_eight(typingctx, values, array, index):
    """Write eight numbers to ``array[index:]``, a float64 array of one axis."""

    def codegen(context, builder, signature, args):
        builder.store(args[0], pointer_to(context, builder, array, *args[1:], EIGHT), align=8)
        return context.get_dummy_value()

    return types.void(EIGHT, array, types.intp), codegen


@intrinsic
def eight(typingctx, value):
    """Eight times the same float64."""
    return EIGHT(types.float64), lambda context, builder, signature, args: splatted(builder, args[0], EIGHT.llvm)


@intrinsic
def gather_eight(typingctx, rows, address, lane):
    """``rows[address[k], lane]`` of float32[R, 64] for k in 0..7, as float64; address is int32 of one axis."""

    def codegen(context, builder, signature, args):
        data = context.make_array(rows)(context, builder, args[0]).data
        numbers = context.make_array(address)(context, builder, args[1]).data
        out = ir.Constant(ir.VectorType(ir.FloatType(), SEGMENTS), ir.Undefined)
        for k in range(SEGMENTS):
            row = builder.zext(builder.load(builder.gep(numbers, [ir.Constant(ir.IntType(64), k)])), ir.IntType(64))
            index = builder.add(builder.mul(row, ir.Constant(ir.IntType(64), TILE)), args[2])
            out = builder.insert_element(out, builder.load(builder.gep(data, [index])), ir.Constant(ir.IntType(32), k))
        return builder.fpext(out, EIGHT.llvm)

    return EIGHT(rows, address, types.intp), codegen


@intrinsic
def running_sums(typingctx, a):
    """Sums of the first, the first two, ... of eight numbers."""

    def codegen(context, builder, signature, args):
        total, none = args[0], ir.Constant(EIGHT.llvm, [0.0] * SEGMENTS)
        for distance in (1, 2, 4):
            order = [k - distance if k >= distance else SEGMENTS for k in range(SEGMENTS)]
            total = builder.fadd(total, shuffled(builder, total, none, order))
        return total

    return EIGHT(EIGHT), codegen
