"""How helpers of the kernels are compiled."""

from __future__ import annotations

from typing import Any

HELPER: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False}
"""For functions that a kernel calls for every step or particle and that allocate nothing: inlined by LLVM, and without
numba's reference counts, each of which is an atomic addition for every array of every argument (with counts and calls
the shower kernel takes a third longer)."""
UNCOUNTED: dict[str, Any] = {"nogil": True, "_nrt": False}
"""The same for larger or rarer ones, where inlining is left to LLVM. ``_nrt`` is numba's own word and in no stub."""
