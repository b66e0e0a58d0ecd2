"""Exit statuses of the command line other than 0."""

from __future__ import annotations

STATUS_FAILED = 1
"""A run failed."""

STATUS_INPUT = 2
"""An argument, a configuration or a file is wrong."""

STATUS_TIME = 3
"""A run stopped at its ``run.max_minutes`` and can be resumed."""

STATUS_INTERRUPTED = 130
"""A signal interrupted the command."""
