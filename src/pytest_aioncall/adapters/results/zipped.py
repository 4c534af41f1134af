"""A zip of JSON members, as inspect writes its logs: deflated, or compressed with Zstandard."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from .observed import Unreadable

ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_MAX_MEMBER = 256 * 1024 * 1024
_MAX_TOTAL = 2 * 1024 * 1024 * 1024
_MOST_MEMBERS = 500_000
_CONVERT = "inspect log convert FILE --to json --output-dir DIR"


@dataclass(slots=True)
class Zipped:
    """An open zip; `read` refuses what would not fit in memory."""

    archive: zipfile.ZipFile
    raw: bytes
    total: int = 0

    @property
    def names(self) -> list[str]:
        return self.archive.namelist()

    def read(self, name: str) -> bytes:
        """Return a member's bytes. Raises Unreadable where it is damaged, huge or cannot be decompressed."""
        try:
            info = self.archive.getinfo(name)
        except KeyError:
            raise Unreadable(f"has no member {name!r}; this is no inspect log") from None
        self.total += info.file_size
        if info.file_size > _MAX_MEMBER or self.total > _MAX_TOTAL:
            raise Unreadable(f"member {name!r} is larger than what is read of one log")
        try:
            if info.compress_type == ZSTANDARD and not hasattr(zipfile, "ZIP_ZSTANDARD"):
                return self._zstandard(info)
            with self.archive.open(info) as member:
                # What its header says, not what a bomb unpacks to: zipfile would unpack all of that at once.
                found = member.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            EOFError,
            OSError,
            RuntimeError,
            struct.error,
        ):
            raise Unreadable(f"member {name!r} is damaged; was the log copied whole?") from None
        if len(found) > _MAX_MEMBER:
            raise Unreadable(f"member {name!r} is larger than what is read of one log")
        return found

    def _zstandard(self, info: zipfile.ZipInfo) -> bytes:
        """Decompress a member by hand: zipfile knows Zstandard from Python 3.14 on only."""
        start = info.header_offset
        header = _LOCAL_HEADER.unpack(self.raw[start : start + _LOCAL_HEADER.size])
        start += _LOCAL_HEADER.size + header[9] + header[10]
        packed = self.raw[start : start + info.compress_size]
        found = _decompress(packed, limit=info.file_size)
        if len(found) != info.file_size or zlib.crc32(found) != info.CRC:
            raise Unreadable(f"member {info.filename!r} is damaged; was the log copied whole?")
        return found


def open_zip(raw: bytes) -> Zipped:
    """Open a zip in memory. Raises Unreadable where it is none, or is cut off."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        names = len(archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error):
        raise Unreadable(
            "is a zip that is cut off or damaged; was the run stopped, or the log not copied whole?"
        ) from None
    if names > _MOST_MEMBERS:
        raise Unreadable(f"holds more than {_MOST_MEMBERS} members")
    return Zipped(archive, raw)


def _decompress(packed: bytes, *, limit: int) -> bytes:
    """Return the frames of `packed` decompressed, at most a byte more than `limit`."""
    module = _zstandard_module()
    found = bytearray()
    try:
        with module.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True) as stream:
            while len(found) <= limit and (part := stream.read(min(1 << 20, limit + 1 - len(found)))):
                found += part
    except module.ZstdError:
        raise Unreadable("holds a damaged member; was the log copied whole?") from None
    return bytes(found)


def _zstandard_module() -> Any:
    try:
        import zstandard
    except ImportError:
        raise Unreadable(
            "is compressed with Zstandard, as inspect writes it by now; "
            f"pip install zstandard, or convert the log: {_CONVERT}"
        ) from None
    return zstandard
