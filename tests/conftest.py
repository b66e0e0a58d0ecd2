"""What all tests share: hypothesis draws the same examples every time, and knows no deadline (kernels compile)."""

from hypothesis import settings

settings.register_profile("sim3d", deadline=None, derandomize=True)
settings.load_profile("sim3d")

LONGEST = (
    "test_gradients",
    "test_events",
    "test_lepton_asymmetry",
    "test_leptons",
    "test_checkpoint",
    "test_first_interaction",
    "test_shipped_tables",
    "test_fluka_z",
    "test_docs",
)
"""Test files that take longest, by measured time: they begin first, so that no process is left alone with one."""


def pytest_collection_modifyitems(items):
    """Put the longest files first; the others keep their order."""
    rank = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))
