"""Takes every right away from itself, then becomes the program it was told to run.

Started as `python -I -S launcher.py …`, alone in its own process: no import of the project, few
of the standard library, for each costs milliseconds. If a confinement cannot be had the program
is not started (but for those `flags` waive).

Arguments: flags, port, scratch folder, a folder in which nothing can be removed, working folder, program, number of
variables, the variables, the program's arguments.
"""

import ctypes
import fcntl
import os
import resource
import signal
import sys
import termios

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 24, 38, 22
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = WRITE_FILE | READ_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1

MIB = 1024 * 1024
RLIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_CPU, 60),
    (resource.RLIMIT_FSIZE, 16 * MIB),
    (resource.RLIMIT_NOFILE, 256),
    # Go reserves address space generously (1 GiB does for kubectl); what it may use of it is the next line.
    (resource.RLIMIT_AS, 1536 * MIB),
    (resource.RLIMIT_DATA, 384 * MIB),
)
"""No RLIMIT_NPROC: it counts the whole user (and not root at all). seccomp forbids new processes."""

# machine: (audit arch, socket, clone, denied with EPERM)
SECCOMP = {
    "x86_64": (
        0xC000003E, 41, 56,
        (53, 57, 58, 101, 310, 311, 425, 321, 323, 298, 248, 249, 250, 165, 272, 308, 438, 304, 322, 49, 50),
    ),
    "aarch64": (
        0xC00000B7, 198, 220,
        (199, 117, 270, 271, 425, 280, 282, 241, 217, 218, 219, 40, 97, 268, 438, 265, 281, 200, 201),
    ),
}  # fmt: skip
"""socketpair, fork, vfork, ptrace, process_vm_*, io_uring, bpf, userfaultfd, perf, keys, mount, unshare,
setns, pidfd_getfd, open_by_handle_at, execveat, bind, listen."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Path(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class _Port(ctypes.Structure):
    _fields_ = [("access", ctypes.c_uint64), ("port", ctypes.c_uint64)]


class _Filter(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter))]


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 if it has none."""
    version: int = LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(version, 0)


def landlock(binary: str, scratch: str, kept: str, port: int) -> None:
    """Execute and read only `binary`; write only below `scratch` and `kept`; connect only to `port`."""
    abi = landlock_abi()
    if abi < 4:
        raise OSError(0, f"Landlock ABI {abi} cannot restrict TCP; 4 is needed")
    handled = (1 << 15) - 1
    if abi >= 5:
        handled |= IOCTL_DEVICE
    ruleset = _Ruleset(handled, BIND_TCP | CONNECT_TCP, 3 if abi >= 6 else 0)
    size = ctypes.sizeof(ruleset) if abi >= 6 else 16
    descriptor = _check(
        LIBC.syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0), "ruleset"
    )
    paths = (
        (binary, EXECUTE | READ_FILE),
        (scratch, FILE_RIGHTS | TRUNCATE),
        (kept, FILE_RIGHTS & ~(REMOVE_DIR | REMOVE_FILE) | TRUNCATE),
        ("/dev/null", READ_FILE | WRITE_FILE),
    )
    for path, access in paths:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _Path(access, beneath)
        _check(LIBC.syscall(ADD_RULE, descriptor, 1, ctypes.byref(rule), 0), path)
        os.close(beneath)
    if port:
        net = _Port(CONNECT_TCP, port)
        _check(LIBC.syscall(ADD_RULE, descriptor, 2, ctypes.byref(net), 0), "port")
    _check(LIBC.syscall(RESTRICT_SELF, descriptor, 0), "restrict")
    os.close(descriptor)


def seccomp() -> None:
    """Threads but no processes; TCP sockets and no others; nothing that reaches into the kernel."""
    known = SECCOMP.get(os.uname().machine)
    if known is None:
        raise OSError(0, f"no system call table for {os.uname().machine}")
    arch, socket, clone, denied = known
    load, jump, jump_ge, jump_set, back = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill = 0x7FFF0000, 0x80000000
    eperm, enosys = 0x00050001, 0x00050026
    code: list[tuple[int, int, int, int]] = [
        (load, 0, 0, 4), (jump, 1, 0, arch), (back, 0, 0, kill),
        (load, 0, 0, 0), (jump_ge, 0, 1, 0x40000000), (back, 0, 0, kill),
        (jump, 0, 1, 435), (back, 0, 0, enosys),  # clone3: the flags lie behind a pointer
        (jump, 0, 4, clone),
        (load, 0, 0, 16), (jump_set, 1, 0, 0x10000), (back, 0, 0, eperm), (back, 0, 0, allow),  # CLONE_THREAD
        (jump, 0, 12, socket),
        (load, 0, 0, 16), (jump, 2, 0, 2), (jump, 1, 0, 10), (back, 0, 0, eperm),  # AF_INET, AF_INET6
        (load, 0, 0, 24), (0x54, 0, 0, 0xF), (jump, 0, 3, 1),  # SOCK_STREAM
        (load, 0, 0, 32), (jump, 2, 0, 0), (jump, 1, 0, 6), (back, 0, 0, eperm), (back, 0, 0, allow),  # TCP
    ]  # fmt: skip
    for number in denied:
        code += [(jump, 0, 1, number), (back, 0, 0, eperm)]
    code.append((back, 0, 0, allow))
    filters = (_Filter * len(code))(*(_Filter(*each) for each in code))
    program = _Program(len(code), filters)
    zero = ctypes.c_ulong(0)
    _check(LIBC.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.byref(program), zero, zero), "seccomp")


def main() -> None:
    """Confine and execute."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    flags, port, scratch, kept, folder, binary, count, *rest = sys.argv[1:]
    variables = dict(each.split("=", 1) for each in rest[: int(count)])
    arguments = rest[int(count) :]
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    try:
        _check(LIBC.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), zero, zero, zero), "pdeathsig")
        os.chdir(folder)
        os.umask(0o077)
        if "tty" in flags:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for kind, value in RLIMITS:
            hard = resource.getrlimit(kind)[1]
            limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (limit, limit))
        _check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, one, zero, zero, zero), "no_new_privs")
        for capability in range(64):
            LIBC.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), zero, zero, zero)
        if "landlock" in flags:
            landlock(binary, scratch, kept, int(port))
        if "seccomp" in flags:
            seccomp()
        os.execve(binary, arguments, variables)
    except OSError as error:
        os.write(2, f"{os.path.basename(binary)}: cannot be confined: {error}\n".encode())
        os._exit(126)


if __name__ == "__main__":
    main()
