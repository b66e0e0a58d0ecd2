"""Numba types for vectors of sixteen numbers (SIMD lanes), which kernels use like a float.

numba vectorises loops over arrays, but a trajectory is not one: its stages depend on each other.  What can be
done at once is the same stage of sixteen trajectories.  The types here say so to the compiler: each is one
LLVM vector, so that `a + b * c` of lanes is a handful of machine instructions, whichever width the processor
has (with AVX-512 one for single precision and two for double; LLVM splits what is wider).

Types: `DOUBLES` and `SINGLES`, float64 and float32, and `MASK`, the result of a comparison.  Operators: + - *
/ and unary minus, among lanes or with a scalar (which goes to every lane); < <= > >=; & | ~ of masks.
Functions: see below.  The sum or difference of a product and another number, written in one expression, is one fused
operation (see `geomag.field.fma`); the compiler may fuse nothing else and rearranges nothing.  Every operation is
IEEE's in each lane, so that what a lane gives does not depend on its neighbours or on the compilation.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
"""How many: one AVX-512 register of single precision."""


class LanesType(types.Type):
    """The numba type of a set of lanes.

    Parameters
    ----------
    element : numba type
        float64, float32 or boolean.
    """

    def __init__(self, element: types.Type) -> None:
        self.element = element
        super().__init__(name=f"Lanes({LANES} x {element})")

    @property
    def key(self) -> types.Type:
        """Key by which numba distinguishes two of these types."""
        return self.element


DOUBLES = LanesType(types.float64)
SINGLES = LanesType(types.float32)
MASK = LanesType(types.boolean)

_LLVM = {types.float64: ir.DoubleType(), types.float32: ir.FloatType(), types.boolean: ir.IntType(1)}


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    """In memory and in registers: an LLVM vector."""

    def __init__(self, dmm: Any, fe_type: LanesType) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(_LLVM[fe_type.element], LANES))


def _operation(function: Any) -> Any:
    """Apply numba's `intrinsic`; its own annotation counts the typing context among the arguments of a call."""
    return intrinsic(function)


def _splat(builder: Any, value: Any) -> Any:
    """Make the vector with one scalar in every lane."""
    vector = ir.VectorType(value.type, LANES)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _as_lanes(context: Any, builder: Any, value: Any, source: types.Type, lanes: LanesType) -> Any:
    """Return a vector of this type, from one or from a scalar."""
    if isinstance(source, LanesType):
        return value
    return _splat(builder, context.cast(builder, value, source, lanes.element))


def _common(args: tuple[types.Type, ...]) -> LanesType | None:
    """Type of the lanes among two operands (the other may be a number), or None."""
    lanes = {a for a in args if isinstance(a, LanesType)}
    numbers = all(isinstance(a, (LanesType, types.Float, types.Integer)) for a in args)
    return lanes.pop() if len(lanes) == 1 and numbers else None


def _define(op: Any, result: LanesType | None, emit: Any) -> None:
    """Give an operator of two operands its meaning for lanes: result None means the type of the operands."""

    @infer_global(op)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            lanes = _common(args) if len(args) == 2 else None
            return None if lanes is None else signature(result or lanes, *args)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        lanes: Any = _common(sig.args)
        a, b = (_as_lanes(context, builder, v, t, lanes) for v, t in zip(args, sig.args, strict=True))
        return emit(builder, a, b)

    number = types.Number
    for pair in ((LanesType, LanesType), (LanesType, number), (number, LanesType)):
        lower_builtin(op, *pair)(lower)


def _is_product(value: Any) -> bool:
    """Tell whether a value was computed by a multiplication of this expression (not read from a variable)."""
    return isinstance(value, ir.Instruction) and value.opname == "fmul"


def _negative(builder: Any, value: Any) -> Any:
    return builder.fsub(ir.Constant(value.type, [-0.0] * LANES), value)


def _fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Compute a b + c with one rounding."""
    kind = ir.FunctionType(a.type, [a.type] * 3)
    suffix = "f64" if isinstance(a.type.element, ir.DoubleType) else "f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}{suffix}"), [a, b, c])


def _sum(builder: Any, a: Any, b: Any) -> Any:
    if _is_product(b):
        return _fused(builder, b.operands[0], b.operands[1], a)
    if _is_product(a):
        return _fused(builder, a.operands[0], a.operands[1], b)
    return builder.fadd(a, b)


def _difference(builder: Any, a: Any, b: Any) -> Any:
    if _is_product(b):
        return _fused(builder, _negative(builder, b.operands[0]), b.operands[1], a)
    if _is_product(a):
        return _fused(builder, a.operands[0], a.operands[1], _negative(builder, b))
    return builder.fsub(a, b)


for _op in (operator.add, operator.iadd):
    _define(_op, None, _sum)
for _op in (operator.sub, operator.isub):
    _define(_op, None, _difference)
for _op in (operator.mul, operator.imul):
    _define(_op, None, lambda builder, a, b: builder.fmul(a, b))
_define(operator.truediv, None, lambda builder, a, b: builder.fdiv(a, b))
_define(operator.lt, MASK, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_define(operator.le, MASK, lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_define(operator.gt, MASK, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_define(operator.ge, MASK, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
_define(operator.and_, None, lambda builder, a, b: builder.and_(a, b))
_define(operator.or_, None, lambda builder, a, b: builder.or_(a, b))


@infer_global(operator.neg)
@infer_global(operator.invert)
class _Unary(AbstractTemplate):
    """Typing of the operators of one operand."""

    def generic(self, args: Any, kws: Any) -> Any:
        """Lanes give lanes."""
        return signature(args[0], args[0]) if len(args) == 1 and isinstance(args[0], LanesType) else None


@lower_builtin(operator.neg, LanesType)
def _neg(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return _negative(builder, args[0])


@lower_builtin(operator.invert, LanesType)
def _invert(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.not_(args[0])


def _pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Where row args[1] of the two-dimensional array args[0] starts, as a pointer to a vector."""
    array_type = sig.args[0]
    array = context.make_array(array_type)(context, builder, args[0])
    row = context.cast(builder, args[1], sig.args[1], types.intp)
    place = cgutils.get_item_pointer(context, builder, array_type, array, [row, ir.Constant(row.type, 0)])
    element = context.get_data_type(array_type.dtype)
    return builder.bitcast(place, ir.VectorType(element, LANES).as_pointer()), array_type.dtype.bitwidth // 8


@_operation
def load(typingctx, array, row):
    """Read one row of an array into lanes.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    array : float64 or float32 array, shape (rows, LANES)
        The array.
    row : int
        Number of the row.

    Returns
    -------
    lanes
        Of the array's precision.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place, align = _pointer(context, builder, sig, args)
        return builder.load(place, align=align)

    return LanesType(array.dtype)(array, row), codegen


@_operation
def store(typingctx, array, row, value):
    """Write lanes into one row of an array of the same precision.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    array : float64 or float32 array, shape (rows, LANES)
        The array.
    row : int
        Number of the row.
    value : lanes
        The numbers.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place, align = _pointer(context, builder, sig, args)
        builder.store(args[2], place, align=align)
        return context.get_dummy_value()

    return types.void(array, row, value), codegen


@_operation
def splat(typingctx, value):
    """Make lanes that are all equal to a scalar.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    value : float
        The scalar.

    Returns
    -------
    lanes
        Of the scalar's precision.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return LanesType(value)(value), codegen


@_operation
def narrow(typingctx, value):
    """Round lanes of double precision to single precision, to nearest.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    value : lanes
        The numbers.

    Returns
    -------
    lanes of float32
        The rounded numbers.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fptrunc(args[0], ir.VectorType(ir.FloatType(), LANES))

    return SINGLES(value), codegen


@_operation
def widen(typingctx, value):
    """Convert lanes of single precision to double precision, exactly.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    value : lanes
        The numbers.

    Returns
    -------
    lanes of float64
        The same numbers.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fpext(args[0], ir.VectorType(ir.DoubleType(), LANES))

    return DOUBLES(value), codegen


@_operation
def where(typingctx, mask, yes, no):
    """Choose between two numbers lane by lane.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    mask : lanes of booleans
        The condition.
    yes : lanes or number
        Taken where the mask is set.
    no : lanes or number
        Taken elsewhere.

    Returns
    -------
    lanes
        `yes` where the mask is set and `no` elsewhere.
    """
    lanes = yes if isinstance(yes, LanesType) else no

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a = _as_lanes(context, builder, args[1], sig.args[1], lanes)
        b = _as_lanes(context, builder, args[2], sig.args[2], lanes)
        return builder.select(args[0], a, b)

    return lanes(mask, yes, no), codegen


@_operation
def square_root(typingctx, value):
    """Square root in each lane.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    value : lanes
        The numbers.

    Returns
    -------
    lanes
        The roots.
    """
    suffix = "f64" if value.element == types.float64 else "f32"

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}{suffix}")
        return builder.call(function, [args[0]])

    return value(value), codegen


@_operation
def bits(typingctx, mask):
    """Convert a mask into an integer whose bit l is lane l.

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    mask : lanes of booleans
        The condition.

    Returns
    -------
    int
        The bits.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), ir.IntType(64))

    return types.int64(mask), codegen


@_operation
def rough_power(typingctx, value, exponent):
    """Raise positive lanes of single precision to a power, to within 9% times the power.

    It serves to choose the size of a step. The bits of a float, read as an integer, are its binary logarithm but for a
    straight line between the powers of two (J. F. Blinn, IEEE Comput. Graph. Appl. 17 (1997) 80).

    Parameters
    ----------
    typingctx : numba typing context
        Given by numba.
    value : lanes
        The numbers.
    exponent : float
        Power, -1 to 1.

    Returns
    -------
    lanes of float32
        The powers.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        integers = ir.VectorType(ir.IntType(32), LANES)
        number = builder.sitofp(builder.bitcast(args[0], integers), args[0].type)
        power = _splat(builder, context.cast(builder, args[1], sig.args[1], types.float32))
        one = ir.Constant(args[0].type, [float(127 << 23)] * LANES)
        result = builder.fadd(one, builder.fmul(power, builder.fsub(number, one)))
        return builder.bitcast(builder.fptosi(result, integers), args[0].type)

    return value(value, exponent), codegen
