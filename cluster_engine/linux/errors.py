"""What a system call answers when it fails, in the words of the C library."""

from __future__ import annotations

NOT_PERMITTED = "Operation not permitted"
NO_ENTRY = "No such file or directory"
NO_PROCESS = "No such process"
BAD_DESCRIPTOR = "Bad file descriptor"
DENIED = "Permission denied"
BUSY = "Device or resource busy"
EXISTS = "File exists"
CROSS_DEVICE = "Invalid cross-device link"
NOT_DIRECTORY = "Not a directory"
IS_DIRECTORY = "Is a directory"
INVALID = "Invalid argument"
TOO_LARGE = "File too large"
TOO_MANY = "Too many open files"
NO_SPACE = "No space left on device"
READ_ONLY = "Read-only file system"
NAME_TOO_LONG = "File name too long"
NOT_EMPTY = "Directory not empty"
LOOPS = "Too many levels of symbolic links"


class FileError(Exception):
    """A call on files or sockets failed; ``str()`` is ``path: reason`` as the usual tools print it."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path
