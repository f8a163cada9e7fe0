"""`ip` and `netstat` as busybox has them: a Pod's one interface, its routes, the ports that are listened on.

What changes interfaces or routes is refused, and so are connections: which stand is the network's to know.
"""

from __future__ import annotations

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import fail, misused, options

_LOOP = ("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000",)
_LOOP_LINK = "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00"
_ETH = "2: eth0@if{number}: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000"
_FOREVER = "       valid_lft forever preferred_lft forever"
_OBJECTS = ("address", "link", "route", "neigh", "rule", "tunnel")
_IP_USAGE = (
    "ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]\n\n"
    "OPTIONS := -f[amily] inet|inet6|link | -o[neline]"
)
_NETSTAT_USAGE = "netstat [-ral] [-tuwx] [-en]"
_NOT_HERE = "is not simulated here; a real node has it"


def _ip(sys: Sys, argv: list[str]) -> int:
    words = argv[1:]
    given = []
    while words and words[0].startswith("-"):
        given.append(words.pop(0).lstrip("-"))
    wanted = words.pop(0) if words else ""
    found = next((name for name in _OBJECTS if wanted and name.startswith(wanted)), "")
    if not found or any(option not in ("o", "oneline", "4", "6", "0") for option in given):
        misused(sys, "", _IP_USAGE)
    verb = words.pop(0) if words and words[0] not in ("dev", "lo", "eth0") else "show"
    if found in ("neigh", "rule", "tunnel") or not any(each.startswith(verb) for each in ("show", "list")):
        fail(sys, f"{found} {verb} {_NOT_HERE}")
    words = words[1:] if words[:1] == ["dev"] else words
    if words and words[0] not in ("lo", "eth0"):
        fail(sys, f"can't find device '{words[0]}'")
    address = _address(sys)
    if found == "route":
        sys.out("".join(f"{line}\n" for line in _routes(address)))
        return 0
    blocks = {"lo": _loopback(found), "eth0": _ethernet(found, address)}
    chosen = [blocks[words[0]]] if words else list(blocks.values())
    if "o" in given or "oneline" in given:
        sys.out("".join(f"{_one(block)}\n" for block in chosen))
    else:
        sys.out("".join(f"{line}\n" for block in chosen for line in block))
    return 0


def _address(sys: Sys) -> str:
    """The Pod's own."""
    found = sys.addresses()
    if not found:
        fail(sys, f"what is on a node's own network {_NOT_HERE}")
    return found[0]


def _loopback(what: str) -> list[str]:
    inet = ["    inet 127.0.0.1/8 scope host lo", _FOREVER] if what == "address" else []
    return [*_LOOP, _LOOP_LINK, *inet]


def _ethernet(what: str, address: str) -> list[str]:
    """The hardware's address follows from the IP, as the bridge plugin makes it."""
    parts = [int(part) for part in address.split(".")]
    hardware = ":".join(f"{part:02x}" for part in (0x0A, 0x58, *parts))
    network = ".".join(address.split(".")[:3])
    inet = [f"    inet {address}/24 brd {network}.255 scope global eth0", _FOREVER]
    head = _ETH.format(number=parts[3] + 1)
    return [head, f"    link/ether {hardware} brd ff:ff:ff:ff:ff:ff", *(inet if what == "address" else [])]


def _routes(address: str) -> list[str]:
    network = ".".join(address.split(".")[:3])
    return [
        f"default via {network}.1 dev eth0 ",
        f"{network}.0/24 dev eth0 scope link  src {address} ",
    ]


def _one(block: list[str]) -> str:
    """An interface in one line."""
    number, name, *_ = block[0].split(": ")
    inet = [line for line in block if line.startswith("    inet")]
    if not inet:
        return "\\".join(line.rstrip() for line in block)
    return f"{number}: {name.partition('@')[0]}{inet[0]}\\{_FOREVER}"


def _netstat(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "raltuwxenp", usage=_NETSTAT_USAGE)
    if opts.flag("r"):
        sys.out("Kernel IP routing table\n")
        sys.out("Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n")
        network = ".".join(_address(sys).split(".")[:3])
        for rows in (
            ("0.0.0.0", f"{network}.1", "0.0.0.0", "UG"),
            (f"{network}.0", "0.0.0.0", "255.255.255.0", "U"),
        ):
            sys.out(f"{rows[0]:<15} {rows[1]:<15} {rows[2]:<15} {rows[3]:<6}    0 0          0 eth0\n")
        return 0
    if not opts.flag("l"):
        fail(sys, f"which connections stand {_NOT_HERE} (-l shows who listens)")
    named = opts.flag("p")
    sys.out("Active Internet connections (only servers)\n")
    sys.out("Proto Recv-Q Send-Q Local Address           Foreign Address         State       ")
    sys.out("PID/Program name    \n" if named else "\n")
    wanted = [name for flag, name in (("t", "tcp"), ("u", "udp")) if opts.flag(flag)] or ["tcp", "udp"]
    for each in sys.listeners():
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


def _ifconfig(sys: Sys, argv: list[str]) -> int:
    words = [word for word in argv[1:] if word != "-a"]
    if len(words) > 1:
        fail(sys, f"to change an interface {_NOT_HERE}")
    if words and words[0] not in ("lo", "eth0"):
        fail(sys, f"{words[0]}: error fetching interface information: Device not found")
    address = _address(sys)
    parts = [int(part) for part in address.split(".")]
    hardware = ":".join(f"{part:02X}" for part in (0x0A, 0x58, *parts))
    blocks = {
        "eth0": (
            f"eth0      Link encap:Ethernet  HWaddr {hardware}  ",
            f"inet addr:{address}  Bcast:{address.rpartition('.')[0]}.255  Mask:255.255.255.0",
            "UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1",
        ),
        "lo": (
            "lo        Link encap:Local Loopback  ",
            "inet addr:127.0.0.1  Mask:255.0.0.0",
            "UP LOOPBACK RUNNING  MTU:65536  Metric:1",
        ),
    }
    for name, (head, *rows) in blocks.items():
        if not words or words[0] == name:
            sys.out(
                "".join(
                    f"{line}\n" for line in (head, *(f"          {row}" for row in (*rows, *_COUNTS)), "")
                )
            )
    return 0


_COUNTS = (
    "RX packets:0 errors:0 dropped:0 overruns:0 frame:0",
    "TX packets:0 errors:0 dropped:0 overruns:0 carrier:0",
    "collisions:0 txqueuelen:1000 ",
    "RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)",
)
"""Packets are not counted."""


def _route(sys: Sys, argv: list[str]) -> int:
    words = [word for word in argv[1:] if word not in ("-n", "-e", "-ne", "-en")]
    if words:
        fail(sys, f"to change routes {_NOT_HERE}")
    network = _address(sys).rpartition(".")[0]
    sys.out("Kernel IP routing table\n")
    sys.out("Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    numbers = any("n" in word for word in argv[1:])
    for place, gateway, mask, flags in (
        ("0.0.0.0" if numbers else "default", f"{network}.1", "0.0.0.0", "UG"),
        (f"{network}.0", "0.0.0.0" if numbers else "*", "255.255.255.0", "U"),
    ):
        sys.out(f"{place:<15} {gateway:<15} {mask:<15} {flags:<5} 0      0        0 eth0\n")
    return 0


IFCONFIG = Program("ifconfig", "shows interfaces", "ifconfig [-a] [interface]", run=_ifconfig)
ROUTE = Program("route", "shows routes", "route [-ne]", run=_route)
IP = Program("ip", "shows interfaces and routes", _IP_USAGE, run=_ip)
NETSTAT = Program("netstat", "shows who listens", _NETSTAT_USAGE, run=_netstat)
