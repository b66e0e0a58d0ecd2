"""Options of numba's compiler for the functions that kernels call."""

from __future__ import annotations

from typing import Any

UNCOUNTED: dict[str, Any] = {"nogil": True, "_nrt": False}
"""Options of functions that allocate no memory: no reference counting, which is an atomic addition for each array."""

HELPER: dict[str, Any] = UNCOUNTED | {"forceinline": True}
"""Options of functions that allocate no memory and are called for every step or particle: LLVM also inlines them.

With reference counting and calls the shower kernel takes a third longer.
"""
