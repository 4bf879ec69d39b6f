"""Vectors of one number for each of a tile's 64 neurons, as values that a kernel can hold and compute with.

Numba vectorises loops where it can prove that it may, and keeps nothing in registers from one loop to the next. A
`Vector` is a value of LLVM's vector type instead: a tile's state stays in registers for a whole sample, and the
compiler lowers every operation to what the processor has (four instructions on AVX-512, sixteen on SSE). One source
serves every machine, in IEEE arithmetic and in the order that is written.

    load(rows, row), store(v, rows, row)    a row of float32 or float64[R, 64]; rows of int8 and of float16 bits load as
                                            integers and as float32
    zeros(), splat(x)                       64 zeros, 64 times x
    a + b, a - b, a * b, a / b, sqrt(a)     lane by lane
    at_least(a, b), where(mask, a, b)       64 comparisons to the bits of a uint64, and a choice by them
"""

import operator

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from eventsim.kernels.layout import TILE

_INT8, _INT16, _INT32, _INT64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_MASK = ir.VectorType(ir.IntType(1), TILE)
_ELEMENTS = {"float32": ir.FloatType(), "float64": ir.DoubleType(), "int16": _INT16, "int32": _INT32}
_IS_X86 = llvmlite.binding.get_process_triple().startswith(("x86_64", "i386", "i686"))


def _converts_half():
    """Whether the processor that Numba compiles for converts float16; else LLVM would call what nobody provides."""
    if not _IS_X86:
        return True
    if numba.config.CPU_NAME is None and numba.config.CPU_FEATURES is None:
        return llvmlite.binding.get_host_cpu_features().get("f16c", False)
    return "+f16c" in (numba.config.CPU_FEATURES or "").split(",")


_CONVERTS_HALF = _converts_half()
_FLUSH = 0x8040  # MXCSR: results (bit 15) and operands (bit 6) that are subnormal count as zero


class Vector(types.Type):
    """The Numba type of ``lanes`` numbers of one kind."""

    def __init__(self, element: str, lanes: int):
        self.element, self.lanes = element, lanes
        super().__init__(name=f"Vector({element}, {lanes})")

    @property
    def llvm(self):
        """LLVM's type of the same."""
        return ir.VectorType(_ELEMENTS[self.element], self.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, vector.llvm)


FLOATS, SHORTS, LONGS = Vector("float32", TILE), Vector("int16", TILE), Vector("int32", TILE)
DOUBLES = Vector("float64", TILE)


def row_pointer(context, builder, array_type, array, row, stored):
    """Pointer to a row of 64 elements of a C-contiguous array, as a vector of LLVM type ``stored``."""
    data = context.make_array(array_type)(context, builder, array).data
    first = builder.gep(data, [builder.mul(row, ir.Constant(_INT64, TILE))])
    return builder.bitcast(first, stored.as_pointer())


def pointer_to(context, builder, array_type, array, index, vector):
    """The vector from ``array[index]`` on, of an array of one axis."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.llvm.as_pointer())


def splatted(builder, value, vector):
    """A vector of LLVM type ``vector`` that is ``value`` in every lane."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT32, 0))
    return shuffled(builder, one, one, [0] * vector.count)


def _float_of_half(builder, bits):
    """float32 of float16 bits <64 x i16>; finite numbers only."""
    vector = FLOATS.llvm
    if _CONVERTS_HALF:
        return builder.fpext(builder.bitcast(bits, ir.VectorType(ir.HalfType(), TILE)), vector)
    wide = builder.zext(bits, LONGS.llvm)

    def constant(value):
        return ir.Constant(LONGS.llvm, [value] * TILE)

    sign = builder.shl(builder.and_(wide, constant(0x8000)), constant(16))
    size = builder.shl(builder.and_(wide, constant(0x7FFF)), constant(13))
    # The exponents' biases differ by 112. A number that is subnormal in float16 gets the exponent of the smallest
    # normal one, which is then taken off; no operand is subnormal in float32, so flushing those changes nothing.
    normal = builder.add(size, constant(112 << 23))
    smallest = ir.Constant(vector, [2.0**-14] * TILE)
    small = builder.fsub(builder.bitcast(builder.add(size, constant(113 << 23)), vector), smallest)
    is_small = builder.icmp_unsigned("==", builder.and_(wide, constant(0x7C00)), constant(0))
    value = builder.select(is_small, builder.bitcast(small, LONGS.llvm), normal)
    return builder.bitcast(builder.or_(value, sign), vector)


@intrinsic
def load(typingctx, rows, row):
    """A row of float32 or float64[R, 64]; of int8[R, 64] as int16; of uint16[R, 64], float16 bits, as float32."""
    if not isinstance(row, types.Integer):
        return None
    if rows.dtype == types.int8:
        result, stored, align = SHORTS, ir.VectorType(_INT8, TILE), 1
    elif rows.dtype == types.uint16:
        result, stored, align = FLOATS, ir.VectorType(_INT16, TILE), 2
    elif rows.dtype == types.float64:
        result, stored, align = DOUBLES, DOUBLES.llvm, 8
    else:
        result, stored, align = FLOATS, FLOATS.llvm, 4

    def codegen(context, builder, signature, args):
        values = builder.load(row_pointer(context, builder, signature.args[0], args[0], args[1], stored), align=align)
        if rows.dtype == types.int8:
            return builder.sext(values, SHORTS.llvm)
        return _float_of_half(builder, values) if rows.dtype == types.uint16 else values

    return result(rows, types.intp), codegen


@intrinsic
def announce(typingctx, rows, row):
    """Ask for a row of float32[R, 64] that will be used once, into the first-level cache and past the second.

    The second-level cache stays with those who come back to what is in it: without this, weights and moments on their
    way through made the weight gradient take 1.4 times as long.
    """

    def codegen(context, builder, signature, args):
        pointer = row_pointer(context, builder, rows, args[0], args[1], FLOATS.llvm)
        pointer = builder.bitcast(pointer, _INT8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_INT8.as_pointer(), _INT32, _INT32, _INT32])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, once, data = (ir.Constant(_INT32, value) for value in (0, 0, 1))
        for byte in range(0, 4 * TILE, 64):
            builder.call(prefetch, [builder.gep(pointer, [ir.Constant(_INT64, byte)]), read, once, data])
        return context.get_dummy_value()

    return types.void(rows, types.intp), codegen


@intrinsic
def store(typingctx, values, rows, row):
    """Write a vector to a row of float32 or float64[R, 64]."""

    def codegen(context, builder, signature, args):
        builder.store(args[0], row_pointer(context, builder, rows, args[1], args[2], values.llvm),
                      align=rows.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return (types.void(values, rows, types.intp), codegen) if values in (FLOATS, DOUBLES) else None


@intrinsic
def zeros(typingctx):
    """64 zeros."""
    return FLOATS(), lambda context, builder, signature, args: ir.Constant(FLOATS.llvm, [0.0] * TILE)


@intrinsic
def short_zeros(typingctx):
    """64 zeros, int16."""
    return SHORTS(), lambda context, builder, signature, args: ir.Constant(SHORTS.llvm, [0] * TILE)


@intrinsic
def long_zeros(typingctx):
    """64 zeros, int32."""
    return LONGS(), lambda context, builder, signature, args: ir.Constant(LONGS.llvm, [0] * TILE)


@intrinsic
def splat(typingctx, value):
    """64 times the same float32."""
    return FLOATS(types.float32), lambda context, builder, signature, args: splatted(builder, args[0], FLOATS.llvm)


@intrinsic
def add_shorts(typingctx, total, values):
    """int32 plus int16, lane by lane."""

    def codegen(context, builder, signature, args):
        return builder.add(args[0], builder.sext(args[1], LONGS.llvm))

    return LONGS(LONGS, SHORTS), codegen


@intrinsic
def as_floats(typingctx, values):
    """float32 of int32, lane by lane."""
    return FLOATS(LONGS), lambda context, builder, signature, args: builder.sitofp(args[0], FLOATS.llvm)


def shuffled(builder, a, b, order):
    """The entries ``order`` of a followed by b."""
    order = list(order)
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(order)), order))


def _operation(operation, float_name, int_name=None):
    """Give ``operation`` to vectors of one type."""

    @intrinsic
    def compute(typingctx, a, b):
        name = float_name if a.element.startswith("float") else int_name

        def codegen(context, builder, signature, args):
            return getattr(builder, name)(*args)

        return a(a, b), codegen

    @overload(operation)
    def typed(a, b):
        if isinstance(a, Vector) and a == b and (int_name or a.element.startswith("float")):
            return lambda a, b: compute(a, b)
        return None


_operation(operator.add, "fadd", "add")
_operation(operator.sub, "fsub")
_operation(operator.mul, "fmul")
_operation(operator.truediv, "fdiv")


@intrinsic
def sqrt(typingctx, a):
    """Square roots, correctly rounded."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(FLOATS.llvm, [FLOATS.llvm])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{TILE}f32"), args)

    return FLOATS(FLOATS), codegen


@intrinsic
def at_least(typingctx, a, b):
    """uint64 whose bit k is ``a[k] >= b[k]``, for vectors of up to 64 numbers; NaN compares false."""

    def codegen(context, builder, signature, args):
        bits = builder.bitcast(builder.fcmp_ordered(">=", *args), ir.IntType(a.lanes))
        return bits if a.lanes == TILE else builder.zext(bits, _INT64)

    return (types.uint64(a, a), codegen) if isinstance(a, Vector) and a == b else None


@intrinsic
def where(typingctx, mask, a, b):
    """``a[k]`` where bit k of the uint64 ``mask`` is set, ``b[k]`` elsewhere."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.bitcast(args[0], _MASK), args[1], args[2])

    return FLOATS(types.uint64, FLOATS, FLOATS), codegen


@intrinsic
def lowest_bit(typingctx, mask):
    """Index of the lowest set bit of ``mask``, which must not be 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@intrinsic
def bit_count(typingctx, mask):
    """Number of set bits of ``mask``."""
    return types.int64(types.uint64), lambda context, builder, signature, args: builder.ctpop(args[0])


def _mode_word(context, builder):
    """A stack slot for the processor's floating-point mode, as the x86 instructions want it."""
    slot = cgutils.alloca_once(builder, _INT32)
    return slot, builder.bitcast(slot, _INT8.as_pointer())


def _mode_instruction(builder, name, pointer):
    kind = ir.FunctionType(ir.VoidType(), [_INT8.as_pointer()])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}"), [pointer])


@intrinsic
def flush_subnormals(typingctx):
    """Let this thread take numbers below 2^-126 for zero, and return the mode of before.

    A state that decays ends there, and some processors take a hundred times longer over such numbers. Only x86 is told;
    the others are not slow.
    """

    def codegen(context, builder, signature, args):
        if not _IS_X86:
            return ir.Constant(_INT32, 0)
        slot, pointer = _mode_word(context, builder)
        _mode_instruction(builder, "stmxcsr", pointer)
        before = builder.load(slot)
        builder.store(builder.or_(before, ir.Constant(_INT32, _FLUSH)), slot)
        _mode_instruction(builder, "ldmxcsr", pointer)
        return before

    return types.int32(), codegen


@intrinsic
def restore_subnormals(typingctx, mode):
    """Put back the mode that `flush_subnormals` returned."""

    def codegen(context, builder, signature, args):
        if _IS_X86:
            slot, pointer = _mode_word(context, builder)
            builder.store(args[0], slot)
            _mode_instruction(builder, "ldmxcsr", pointer)
        return context.get_dummy_value()

    return types.void(types.int32), codegen
