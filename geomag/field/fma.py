"""Fused multiply-add for kernels: a b + c, rounded once.

By default the compiler fuses a product and a sum or not, depending on the code around them. Trajectories in the
penumbra are chaotic, so that one last bit changes verdicts. Kernels therefore state each fused operation and allow no
other: the same sources give the same bits in every compilation and on every processor.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic


def _interpreted(a: float, b: float, c: float) -> float:
    """Compute a b + c without a compiler; the product is rounded too (Python has no fused operation before 3.13)."""
    return a * b + c


@intrinsic
def _compiled(typingctx, a, b, c):  # type: ignore[no-untyped-def]
    """Compute a b + c with the fused operation of IEEE 754."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.f64"), arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


fma: Any = _interpreted if config.DISABLE_JIT else _compiled  # type: ignore[attr-defined]
"""fma(a, b, c) is a b + c of three floats with one rounding (IEEE 754, fusedMultiplyAdd), for use in kernels."""
