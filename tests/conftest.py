"""What all tests share: hypothesis draws the same examples every time, and knows no deadline (kernels compile)."""

from hypothesis import settings

settings.register_profile("sim3d", deadline=None, derandomize=True)
settings.load_profile("sim3d")
