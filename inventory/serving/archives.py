"""Files as one file, the same bytes every time. Pure."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping

#: No name, no time, no level, no operating system: what a gzip header may say, it says not.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LEVEL = 6


def gzipped(data: bytes) -> bytes:
    """*data* as gzip (RFC 1952). Python's own writer fills the header differently from version to version."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    return GZIP_HEADER + body + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def tarred(files: Mapping[str, bytes]) -> bytes:
    """*files* (relative path → content) as a tar archive: sorted, owned by nobody, without time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, 0
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
