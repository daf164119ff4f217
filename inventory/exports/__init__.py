"""What leaves: Snapshot → files. One module per format; the registry says what there is and what it is for."""

from inventory.exports.registry import (
    Document,
    Export,
    UnknownFormat,
    all_exports,
    get_export,
)

__all__ = ["Document", "Export", "UnknownFormat", "all_exports", "get_export"]
