"""Text files of any origin give the same text; what is no text gives one line."""

import gzip

import pytest

from sim3d.conventions.text_files import decode, read_start, read_text
from sim3d.errors import InputError

TEXT = "# a µ and a ν\na,b\n1,2\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_one_text(tmp_path, ends, encoding, packed):
    """Told by content: the name says nothing."""
    data = TEXT.replace("\n", ends).encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    path = tmp_path / ("plain.gz" if not packed else "packed.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert read_text(path) == TEXT
    assert read_start(path) == TEXT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89HDF\r\n\x1a\n\xff", "x: not a text file in UTF-8"),
        (b"\xff\xfe\x00\x80", "x: not a text file in UTF-8"),
        (b"\xff\xfe\x00", "x: not a text file in UTF-8"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "x: a damaged gzip file"),
        (b"\x1f\x8bnot gzip", "x: a damaged gzip file"),
        (gzip.compress(b"\xff\x00", mtime=0), "x: not a text file in UTF-8"),
    ],
)
def test_no_text(data, message):
    with pytest.raises(InputError, match=message) as caught:
        decode(data, "x")
    assert "\n" not in str(caught.value)


def test_the_start_of_no_text(tmp_path):
    """Nothing is raised but for a file that cannot be opened."""
    path = tmp_path / "x"
    path.write_bytes(b"\x1f\x8bnot gzip")
    assert read_start(path) == ""
    path.write_bytes(b"\x89HDF\xff")
    assert read_start(path).endswith("HDF\ufffd")
    with pytest.raises(InputError, match="cannot be read"):
        read_start(tmp_path / "none")
    with pytest.raises(InputError, match=r"table .*none: cannot be read"):
        read_text(tmp_path / "none", "table ")
