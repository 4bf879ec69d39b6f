"""Vectors of four and of sixteen float32, as `vector` has them of 64: parts of a tile, and sums of products."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from eventsim.kernels.cpu.vector import FLOATS, Vector, pointer_to, shuffled, splatted
from eventsim.kernels.layout import TILE

SIXTEEN, FOUR = Vector("float32", 16), Vector("float32", 4)
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


@intrinsic
def folded_product(typingctx, a, b):
    """a * b, added up to four sums of sixteen products, where a processor can in fused operations."""

    def codegen(context, builder, signature, args):
        quarters = [
            [_part(builder, arg, first, TILE // 4) for first in range(0, TILE, TILE // 4)] for arg in args
        ]
        total = None
        for x, y in zip(*quarters, strict=True):
            product = builder.fmul(x, y, flags=("contract",))
            total = product if total is None else builder.fadd(product, total, flags=("contract",))
        for half in (8, 4):
            total = builder.fadd(_part(builder, total, 0, half), _part(builder, total, half, half))
        return total

    return FOUR(FLOATS, FLOATS), codegen


@intrinsic
def splat_sixteen(typingctx, value):
    """Sixteen times the same float32."""
    return SIXTEEN(types.float32), lambda context, builder, signature, args: splatted(builder, args[0], SIXTEEN.llvm)


@intrinsic
def add_product(typingctx, total, a, b):
    """total + a * b for sixteen numbers, where a processor can in one operation."""

    def codegen(context, builder, signature, args):
        product = builder.fmul(args[1], args[2], flags=("contract",))
        return builder.fadd(product, args[0], flags=("contract",))

    return SIXTEEN(SIXTEEN, SIXTEEN, SIXTEEN), codegen


@intrinsic
def store_few(typingctx, values, array, index):
    """Write a short vector to ``array[index:]``, a float32 array of one axis."""

    def codegen(context, builder, signature, args):
        builder.store(args[0], pointer_to(context, builder, array, *args[1:], values), align=4)
        return context.get_dummy_value()

    return types.void(values, array, types.intp), codegen


@intrinsic
def load_sixteen(typingctx, array, index):
    """``array[index:index + 16]`` of a float32 array of one axis."""

    def codegen(context, builder, signature, args):
        return builder.load(pointer_to(context, builder, array, *args, SIXTEEN), align=4)

    return SIXTEEN(array, types.intp), codegen


def _part(builder, vector, first, length):
    """``vector[first:first + length]``."""
    return shuffled(builder, vector, vector, range(first, first + length))


@intrinsic
def sums_of_fours(typingctx, array, index):
    """Sixteen sums of four numbers each, which stand one behind the other from ``array[index]`` on.

    Neighbours are added twice over, with the shuffles within 128 bits that are a processor's cheapest; they leave the
    sums in the order of a transposed 4 x 4 matrix.
    """

    def codegen(context, builder, signature, args):
        places = [builder.add(args[1], ir.Constant(_INT64, 16 * k)) for k in range(4)]
        vectors = [
            builder.load(pointer_to(context, builder, array, args[0], place, SIXTEEN), align=4) for place in places
        ]
        even = [16 * (k // 2 % 2) + 4 * (k // 4) + 2 * (k % 2) for k in range(16)]
        odd = [k + 1 for k in even]
        while len(vectors) > 1:
            vectors = [
                builder.fadd(shuffled(builder, a, b, even), shuffled(builder, a, b, odd))
                for a, b in zip(vectors[::2], vectors[1::2], strict=True)
            ]
        return shuffled(builder, vectors[0], vectors[0], [4 * (k % 4) + k // 4 for k in range(16)])

    return SIXTEEN(array, types.intp), codegen
