"""Every ceiling of a machine, in one place. Nobody writing real scripts should ever meet one."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

QUANTUM = 500
"""Steps a process runs before the next one's turn."""
SLICE = 1_000
"""Steps that all exhausted processes of a machine share per period."""
FIRST_PERIOD = 10_000
"""µs that a process without savings waits for its share the first time; it doubles each time."""
LAST_PERIOD = 60_000_000
"""µs beyond which that period does not grow."""
RECOVERY = 100
"""µs of waiting that save one step."""
FORK_COST = 100
"""Steps charged for a new process."""
EXEC_COST = 200
"""Steps charged for starting a program."""
WAKE_COST = 20
"""Steps charged when a sleeper wakes."""
BYTES_PER_STEP = 32
"""Bytes moved that cost one step."""
PIPE_CAPACITY = 64 * KIB
CHUNK = 16 * KIB
"""Bytes of one read."""
SOCKET_WINDOW = 64 * KIB
"""Bytes on their way in one direction of a connection."""
SOCKET_BUFFER = 8 * MIB
"""Bytes that a process may have written to one connection before they were taken."""
BACKLOG = 128
"""Connections that wait to be accepted."""
TERMINAL_LINE = 4_096
"""Bytes of one typed line."""
TERMINAL_INPUT = 64 * KIB
"""Typed bytes that nobody has read yet; what comes beyond is dropped, as a real terminal does."""
TERMINAL_AHEAD = 256 * KIB
"""The same of a patient terminal, which keeps what is pasted until somebody reads."""
CODES = 256
"""Compiled texts that a machine keeps before it forgets those that nothing refers to."""

MAX_LINE = 64 * KIB
"""Characters of one command line or script."""
MAX_WORDS = 10_000
"""Words of one command line or script; it bounds the time to parse one."""
MAX_NESTING = 40
"""Syntax inside syntax: `$( $( … ) )`, `if` in `if`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one machine may use."""

    burst: int = 200_000
    """Steps of processor time that a process may have saved up: what it can use at once."""
    processes: int = 512
    """Processes alive at the same time, zombies among them."""
    descriptors: int = 256
    """Open descriptors of one process."""
    value: int = MIB
    """Bytes of one variable, one word, one command substitution."""
    variables: int = 4 * MIB
    """Bytes of all variables of one shell."""
    fields: int = 16_384
    """Arguments of one command."""
    depth: int = 200
    """Functions, loops, sourced files inside one another in one shell."""
    functions: int = 500
    """Functions (and, apart from them, aliases) of one shell."""
