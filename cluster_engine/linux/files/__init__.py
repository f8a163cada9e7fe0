"""Files as data: trees that are never changed in place, volumes, mounts, permissions, open files."""

from cluster_engine.linux.files.derived import derived, emptied, filled, showing, shown, shows
from cluster_engine.linux.files.packing import pack, unpack
from cluster_engine.linux.files.paths import Credentials
from cluster_engine.linux.files.storage import Storage
from cluster_engine.linux.files.view import Files, Stat

__all__ = [
    "Credentials",
    "Files",
    "Stat",
    "Storage",
    "derived",
    "emptied",
    "filled",
    "pack",
    "showing",
    "shown",
    "shows",
    "unpack",
]
