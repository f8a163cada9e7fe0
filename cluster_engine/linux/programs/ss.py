"""`ss` as iproute2 has it: who listens. Which connections stand is the network's to know, and refused."""

from __future__ import annotations

from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs._common import Options, fail, options
from cluster_engine.linux.programs.links import View, listening, looking

_USAGE = "ss [ OPTIONS ]"
_LONG = {
    "numeric": "n", "all": "a", "listening": "l", "processes": "p", "tcp": "t", "udp": "u", "no-header": "H",
    "ipv4": "4", "oneline": "O",
}  # fmt: skip
_BACKLOG = 128


def _wanted(sys: Sys) -> Options:
    opts = options(sys, sys.argv, "nalptuHO4", "", _LONG, usage=_USAGE, status=255)
    if not opts.flag("l"):
        fail(sys, "which connections stand is not simulated here; a real node has it (-l shows who listens)")
    if opts.operands:
        fail(sys, "filters are not simulated here; a real ss has them")
    return opts


def _tell(sys: Sys, view: View) -> int:
    opts = _wanted(sys)
    wanted = [name for flag, name in (("u", "udp"), ("t", "tcp")) if opts.flag(flag)] or ["udp", "tcp"]
    every = listening(sys, view)
    found = [each for name in wanted for each in every if each["protocol"] == name]
    heads = ["Netid"] * (len(wanted) > 1) + [
        "State",
        "Recv-Q",
        "Send-Q",
        "Local Address",
        "Port",
        "Peer Address",
        "Port",
    ]
    rows = []
    for each in found:
        waits = each["protocol"] == "tcp"
        row = [
            "LISTEN" if waits else "UNCONN",
            "0",
            str(_BACKLOG if waits else 0),
            each["ip"] or "0.0.0.0",
            str(each["port"]),
        ]
        user = f' users:(("{each["name"]}",pid={each["pid"]}))' if opts.flag("p") and each["pid"] else ""
        rows.append([*([each["protocol"]] * (len(wanted) > 1)), *row, "0.0.0.0", "*", user])
    heads.append("Process")
    shown = rows if opts.flag("H") else [heads, *rows]
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    sys.out("".join(_line(row, widths) for row in shown))
    return 0


def _line(row: list[str], widths: list[int]) -> str:
    """Addresses stand to the right of their columns, before a colon; the process follows the peer at once."""
    *first, local, port, peer, peers_port, process = (
        text.rjust(width) if at in (len(row) - 5, len(row) - 3) else text.ljust(width)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"{' '.join([*first, local])}:{port} {peer}:{peers_port}{process}\n"


PROGRAM = looking("ss", "shows who listens", _USAGE, _tell, check=_wanted)
