"""Two machine operations that Numba has no name for: a 64-lane compare to a bit mask, and the lowest set bit.

They are given as LLVM instructions on 64-lane vectors, which the compiler lowers to what the processor has (four
compares on AVX-512, sixteen on SSE), so there is one source for every machine.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from eventsim.kernels.layout import TILE

_LANES = ir.VectorType(ir.FloatType(), TILE)
_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)


@intrinsic
def mask_at_least(typingctx, rows, row, bound):
    """uint64 whose bit k is ``rows[row, k] >= bound``; ``rows`` is float32[R, 64], C-contiguous. NaN compares false."""
    signature = types.uint64(rows, types.intp, types.float32)

    def codegen(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        first = builder.gep(array.data, [builder.mul(args[1], ir.Constant(_INT64, TILE))])
        values = builder.load(builder.bitcast(first, _LANES.as_pointer()), align=4)
        undefined = ir.Constant(_LANES, ir.Undefined)
        one = builder.insert_element(undefined, args[2], ir.Constant(_INT32, 0))
        bound = builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_INT32, TILE), [0] * TILE))
        return builder.bitcast(builder.fcmp_ordered(">=", values, bound), _INT64)

    return signature, codegen


@intrinsic
def lowest_bit(typingctx, mask):
    """Index of the lowest set bit of ``mask``, which must not be 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen
