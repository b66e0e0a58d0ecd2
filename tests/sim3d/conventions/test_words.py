"""Words about the frame of azimuths: every file of a run names the frame that its azimuths have."""

import pytest

from sim3d.conventions import words
from sim3d.files.csv_tables import write_table
from sim3d.results.tables import table_of_result, write_csv_tables


@pytest.mark.parametrize("frame", words.AZIMUTH_FRAMES)
def test_the_words_of_a_frame(frame):
    """All conventions but the azimuth's are the same for both frames, and each azimuth names its own."""
    known = words.AZIMUTH_FRAMES[frame]
    for conventions in (words.result_conventions(frame), words.export_conventions(frame)):
        assert conventions["convention_azimuth"].startswith(words.AZIMUTH_FROM_SOUTH)
        assert conventions["convention_azimuth"].endswith(known)
    assert set(words.result_conventions(frame)) == set(words.RESULT_CONVENTIONS)
    assert known in words.csv_conventions(frame)[4]


def test_a_frame_that_is_not_known_is_not_mentioned():
    assert words.azimuth_words("") == words.AZIMUTH_FROM_SOUTH
    assert words.csv_conventions("") == words.CSV_CONVENTIONS
    assert words.export_conventions("") == words.EXPORT_CONVENTIONS
    assert words.result_conventions("site") == words.RESULT_CONVENTIONS


def test_csv_tables_state_it(fake_result, tmp_path):
    """Tables of a run and of any table; a fake result states no frame, which is that of the crossing."""
    result = fake_result(sites=("ino",), batches=2)
    assert result.azimuth_frame == "crossing"
    paths = [*write_csv_tables(result, tmp_path), write_table(table_of_result(result, "ino"), tmp_path, "of-table")]
    for path in paths:
        with path.open() as stream:
            head = [line for line, _ in zip(stream, range(10), strict=False) if line.startswith("#")]
        assert sum(words.AZIMUTH_FRAMES["crossing"] in line for line in head) == 1
