"""`netstat`, `ifconfig` and `route` as busybox has them: interfaces, routes, the ports that are listened on.

Of a Pod, or of the node on whose network somebody stands (`links.View`). What changes interfaces or routes is refused,
and so are connections: which stand is the network's to know.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs._common import Options, fail, options
from cluster_engine.linux.programs.links import NOT_HERE, Link, View, broadcast, listening, looking

_NETSTAT_USAGE = "netstat [-ral] [-tuwx] [-en]"


def _wanted(sys: Sys) -> Options:
    opts = options(sys, sys.argv, "raltuwxenp", usage=_NETSTAT_USAGE)
    if not opts.flag("r", "l"):
        fail(sys, f"which connections stand {NOT_HERE} (-l shows who listens)")
    return opts


def _ways(view: View) -> Iterator[tuple[str, str, str, str, str]]:
    """(network, gateway, mask, flags, interface) of each route."""
    for route in view.routes:
        network, _, bits = route.to.partition("/")
        if route.to == "default":
            network, bits = "0.0.0.0", "0"
        mask = ".".join(["255"] * (int(bits) // 8) + ["0"] * (4 - int(bits) // 8))
        yield network, route.via or "0.0.0.0", mask, "UG" if route.via else "U", route.dev


def _netstat(sys: Sys, view: View) -> int:
    opts = _wanted(sys)
    if opts.flag("r"):
        sys.out("Kernel IP routing table\n")
        sys.out("Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n")
        for network, gateway, mask, flags, dev in _ways(view):
            sys.out(f"{network:<15} {gateway:<15} {mask:<15} {flags:<6}    0 0          0 {dev}\n")
        return 0
    named = opts.flag("p")
    sys.out("Active Internet connections (only servers)\n")
    sys.out("Proto Recv-Q Send-Q Local Address           Foreign Address         State       ")
    sys.out("PID/Program name    \n" if named else "\n")
    wanted = [name for flag, name in (("t", "tcp"), ("u", "udp")) if opts.flag(flag)] or ["tcp", "udp"]
    for each in listening(sys, view):
        if each["protocol"] not in wanted:
            continue
        place, state = (
            f"{each['ip'] or '0.0.0.0'}:{each['port']}",
            "LISTEN" if each["protocol"] == "tcp" else "",
        )
        line = f"{each['protocol']:<5}      0      0 {place:<23} {'0.0.0.0:*':<23} {state:<12}"
        who = f"{each['pid']}/{each['name']}" if each["pid"] else "-"
        sys.out(f"{line}{who:<20}\n" if named else f"{line}\n")
    return 0


def _ifconfig_words(sys: Sys) -> list[str]:
    words = [word for word in sys.argv[1:] if word != "-a"]
    if len(words) > 1:
        fail(sys, f"to change an interface {NOT_HERE}")
    return words


def _ifconfig(sys: Sys, view: View) -> int:
    words = _ifconfig_words(sys)
    chosen = [link for link in sorted(view.links, key=lambda link: link.name) if words in ([], [link.name])]
    if not chosen:
        fail(sys, f"{words[0]}: error fetching interface information: Device not found")
    for link in chosen:
        head, *rows = _described(link)
        sys.out(
            "".join(f"{line}\n" for line in (head, *(f"          {row}" for row in (*rows, *_COUNTS)), ""))
        )
    return 0


def _described(link: Link) -> list[str]:
    kind = "Local Loopback  " if link.loop else f"Ethernet  HWaddr {link.mac.upper()}  "
    rows = [f"{link.name:<9} Link encap:{kind}"]
    if link.inet:
        address, _, bits = link.inet.partition("/")
        mask = ".".join(["255"] * (int(bits) // 8) + ["0"] * (4 - int(bits) // 8))
        cast = "" if link.loop else f"  Bcast:{broadcast(link.inet)}"
        rows.append(f"inet addr:{address}{cast}  Mask:{mask}")
    flags = "UP LOOPBACK RUNNING  MTU:65536" if link.loop else "UP BROADCAST RUNNING MULTICAST  MTU:1500"
    return [*rows, f"{flags}  Metric:1"]


_COUNTS = (
    "RX packets:0 errors:0 dropped:0 overruns:0 frame:0",
    "TX packets:0 errors:0 dropped:0 overruns:0 carrier:0",
    "collisions:0 txqueuelen:1000 ",
    "RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)",
)
"""Packets are not counted."""


def _route_words(sys: Sys) -> None:
    if [word for word in sys.argv[1:] if word not in ("-n", "-e", "-ne", "-en")]:
        fail(sys, f"to change routes {NOT_HERE}")


def _route(sys: Sys, view: View) -> int:
    sys.out("Kernel IP routing table\n")
    sys.out("Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    numbers = any("n" in word for word in sys.argv[1:])
    for network, gateway, mask, flags, dev in _ways(view):
        place = network if numbers or network != "0.0.0.0" else "default"
        over = gateway if numbers or gateway != "0.0.0.0" else "*"
        sys.out(f"{place:<15} {over:<15} {mask:<15} {flags:<5} 0      0        0 {dev}\n")
    return 0


IFCONFIG = looking(
    "ifconfig", "shows interfaces", "ifconfig [-a] [interface]", _ifconfig, check=_ifconfig_words
)
ROUTE = looking("route", "shows routes", "route [-ne]", _route, check=_route_words)
NETSTAT = looking("netstat", "shows who listens", _NETSTAT_USAGE, _netstat, check=_wanted)
