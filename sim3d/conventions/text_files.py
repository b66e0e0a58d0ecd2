"""Read text files of any origin: plain or gzip, UTF-8 or UTF-16, with or without a byte order mark, any line ends.

Every table and configuration that a user gives is read here. Whether a file is compressed is told by its first bytes,
not by its name.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from sim3d.errors import InputError, cannot_read

_GZIP = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path, what: str = "") -> str:
    r"""Read a text file; all line ends become ``\n``.

    Parameters
    ----------
    path : Path
        Plain or compressed with gzip.
    what : str
        Kind of file; it precedes the path in an error message.

    Returns
    -------
    str
        The text without a byte order mark.

    Raises
    ------
    InputError
        If the file cannot be read, is a damaged gzip file, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise cannot_read(path, problem, what) from None
    return decode(data, f"{what}{path}")


def read_start(path: Path, size: int = 4096) -> str:
    """Read the first characters of a text file; bytes that are no text become question marks.

    Parameters
    ----------
    path : Path
    size : int
        Number of bytes.

    Returns
    -------
    str
        Empty for a damaged gzip file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(size)
            if data.startswith(_GZIP):
                stream.seek(0)
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    data = unpacked.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return ""
    except OSError as problem:
        raise cannot_read(path, problem) from None
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig"
    return _unix_lines(data.decode(encoding, errors="replace"))


def decode(data: bytes, name: str) -> str:
    r"""Decode the bytes of a text file; all line ends become ``\n``.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for error messages.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the bytes are a damaged gzip file or no text.

    Examples
    --------
    >>> decode(b"\xef\xbb\xbfa,b\r\n1,2\r\n", "x.csv")
    'a,b\n1,2\n'
    """
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read()
        except (OSError, EOFError, zlib.error) as problem:
            raise InputError(f"{name}: a damaged gzip file ({problem})") from None
    try:
        if data.startswith(_UTF16_MARKS):
            text = data.decode("utf-16")
            # two bytes that look like a mark may begin any binary file
            if not text[:1].isascii() or "\0" in text:
                raise InputError(f"{name}: not a text file in UTF-8")
        else:
            text = data.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file in UTF-8") from None
    return _unix_lines(text)


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
