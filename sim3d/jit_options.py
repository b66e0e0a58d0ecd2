"""Compiler options of the functions that kernels call."""

from __future__ import annotations

from typing import Any

UNCOUNTED: dict[str, Any] = {"nogil": True, "_nrt": False}
"""For functions that allocate nothing: without numba's reference counts, each of which is an atomic addition for every
array of every argument."""

HELPER: dict[str, Any] = UNCOUNTED | {"forceinline": True}
"""For functions that a kernel calls for every step or particle and that allocate nothing: also inlined by LLVM (with
counts and calls the shower kernel takes a third longer)."""
