"""Call a compiled function without inlining it, so that its rounding does not depend on the caller's code.

The field and the integrator allow the compiler to contract a product and a sum to one operation (an FMA). Which
products are contracted is decided after inlining: inlined, the same trajectory could get another last bit, and in the
penumbra another verdict, in another kernel. What the compiler inlines into the function itself may still change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import config
from numba.core import types
from numba.extending import intrinsic


def separate(function: Any) -> Callable[..., Any]:
    """Make a function of nine arguments that kernels can call and that LLVM does not inline.

    Parameters
    ----------
    function : dispatcher
        What `numba.njit` made.

    Returns
    -------
    callable
        For use in kernels; ``function`` itself with NUMBA_DISABLE_JIT.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        plain: Callable[..., Any] = function
        return plain
    called = types.Dispatcher(function)

    @intrinsic
    def call(typing, a, b, c, d, e, f, g, h, i):  # type: ignore[no-untyped-def]
        signature = typing.resolve_function_type(called, (a, b, c, d, e, f, g, h, i), {})

        def generate(context, builder, _, arguments):  # type: ignore[no-untyped-def]
            result = context.get_function(called, signature)(builder, arguments)
            for block in builder.function.blocks:
                for instruction in block.instructions:
                    if isinstance(instruction, ir.CallInstr) and function.__name__ in instruction.callee.name:
                        instruction.attributes.add("noinline")
            return result

        return signature, generate

    made: Callable[..., Any] = call
    return made
