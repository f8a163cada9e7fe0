# ruff: noqa: E501 (one case a line)
"""What no recording can show: virtual time, other processes, the network of one machine, tables."""

from __future__ import annotations

import ast
import gzip
from importlib import import_module
from pathlib import Path

import pytest

import cluster_engine.linux as room
from cluster_engine.linux.files import tree
from cluster_engine.linux.program import Program
from cluster_engine.linux.programs import BUSYBOX, COMMON, DEBIAN, EXTRA, PROGRAMS, of, program
from tests.linux.programs.box import Box

ROOT = Path(room.__file__).parent
ANSWER = r"printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n' > r; nc -l -p 8080 < r > req & sleep 1; "
MISSING = r"printf 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n' > r; nc -l -p 8080 < r > /dev/null & sleep 1; "
MOVED = r"printf 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:8081/y\r\nContent-Length: 0\r\n\r\n' > r; nc -l -p 8080 < r > /dev/null & printf 'HTTP/1.0 200 OK\r\n\r\nmoved\n' > s; nc -l -p 8081 < s > /dev/null & sleep 1; "
CHUNKED = r"printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nd\n\r\n0\r\n\r\n' > r; nc -l -p 8080 < r > /dev/null & sleep 1; "

CASES: dict[str, tuple[str, str, int, str, str]] = {
    # id: flavour, line, status, output, errors
    "tail -f": ("busybox", "tail -f a.txt & sleep 2; echo five >> a.txt; sleep 2; kill $!; wait; echo done", 0, "one\ntwo\nthree\nfour\nfive\ndone\n", ""),
    "tail -F follows the name": ("busybox", "tail -F x & sleep 2; echo one > x; sleep 2; mv x y; echo two > x; sleep 3; kill $!", 0, "one\ntwo\n", "tail: can't open 'x': No such file or directory\n"),
    "tail -f keeps the file": ("busybox", "tail -n 1 -f a.txt & sleep 1; mv a.txt b; echo other > a.txt; echo more >> b; sleep 3; kill $!", 0, "four\nmore\n", ""),
    "watch": ("busybox", "watch -t -n 1 'echo hi' & sleep 3.5; kill $!", 0, "\x1b[H\x1b[Jhi\n" * 4, ""),
    "time": ("busybox", "time sleep 1", 0, "", "real\t0m 1.00s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"),
    "timeout ends a loop": ("busybox", "timeout 3 sh -c 'while :; do echo x; sleep 2; done'; echo $?", 0, "x\nx\n143\n", ""),
    "timeout of coreutils": ("debian", "timeout 1 sleep 5; echo $?; timeout 5 sh -c 'exit 7'; echo $?", 0, "124\n7\n", ""),
    "sleep": ("busybox", "a=$(date +%s); sleep 1m 1.5; b=$(date +%s); echo $((b-a)); sleep x", 1, "61\n", "sleep: invalid number 'x'\n"),
    "ps of busybox": ("busybox", "ps -o pid,ppid,args", 0, "PID   PPID  COMMAND\n    1     0 sh -c ps -o pid,ppid,args\n", ""),
    "times of processes": ("busybox", "sleep 70; ps -o etime,comm; uptime", 0, "ELAPSED COMMAND\n  01:10 sh\n 16:01:10 up 1 min,  0 users,  load average: 0.00, 0.00, 0.00\n", ""),
    "pgrep": ("busybox", "sleep 100 & sleep 1; pgrep sleep; pgrep -l nope; echo $?; pkill sleep; wait; echo ok", 0, "2\n1\nok\n", ""),
    "killall": ("busybox", "killall nope; echo $?; sleep 9 & sleep 1; killall sleep; wait; echo ok", 0, "1\nok\n", "killall: nope: no process killed\n"),
    "hostname": ("busybox", "hostname; hostname -i; hostname -f", 0, "box\n10.244.1.7\nbox\n", ""),
    "netstat": ("busybox", "nc -l -p 8080 >/dev/null & sleep 1; netstat -ltn; netstat -tlnp | tail -n 1", 0, "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       \ntcp        0      0 0.0.0.0:8080            0.0.0.0:*               LISTEN      \ntcp        0      0 0.0.0.0:8080            0.0.0.0:*               LISTEN      2/nc                \n", ""),
    "netstat of connections": ("busybox", "netstat -tn; echo $?", 0, "1\n", "netstat: which connections stand is not simulated here; a real node has it (-l shows who listens)\n"),
    "ss": ("extra", "nc -l -p 8080 >/dev/null & sleep 1; ss -ltn; ss -lntpH; ss -ln; ss -t; echo $?", 0, "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nLISTEN 0      128          0.0.0.0:8080      0.0.0.0:*          \nLISTEN 0      128          0.0.0.0:8080      0.0.0.0:*    users:((\"nc\",pid=2))\nNetid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\ntcp   LISTEN 0      128          0.0.0.0:8080      0.0.0.0:*          \n1\n", "ss: which connections stand is not simulated here; a real node has it (-l shows who listens)\n"),
    "openssl": ("extra", "openssl rand -hex 4 | wc -c; openssl rand -base64 60 | wc; openssl rand 5 | wc -c; a=$(openssl rand -hex 8); b=$(openssl rand -hex 8); [ $a != $b ] && echo y; openssl version | cut -c1-7", 0, "9\n        2         2        82\n5\ny\nOpenSSL\n", ""),
    "openssl reads what comes in": ("extra", "openssl ecparam -name prime256v1 -genkey -noout -out k; openssl req -new -key k -subj /O=a/CN=b -out r; cat r | openssl req -noout -subject; openssl req -new -x509 -key k -subj /CN=c -days 9 | openssl x509 -noout -subject; openssl pkey < k | openssl pkey -pubout | wc -l; head -c 70000 /dev/zero | openssl x509 -noout; echo x | openssl x509; echo $?", 0, "subject=O=a, CN=b\nsubject=CN=c\n4\n1\n", "x509: more than 65536 bytes are not read here\nx509: Unable to load certificate\n"),
    "openssl refuses": ("extra", "openssl rand x; openssl rand -foo 3; openssl rand 1 2; openssl rand 99999; openssl dhparam; echo $?", 0, "1\n", "rand: Can't parse \"x\" as a number\nrand: Use -help for summary.\nrand: Unknown option: -foo\nrand: Use -help for summary.\nrand: Use -help for summary.\nopenssl: more than 65536 random bytes are not made here\nopenssl: dhparam is not simulated here; a real openssl has it\n"),
    "ip of a device that is not there": ("busybox", "ip addr show eth9; ip route add default via 10.0.0.1; echo $?", 0, "1\n", "ip: can't find device 'eth9'\nip: route add is not simulated here; a real node has it\n"),
    "identity": ("busybox", "id; whoami; groups; uname -n; nproc; tty", 1, "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\nnobody\nnogroup\nbox\n4\nnot a tty\n", ""),
    "mount and df": ("busybox", "mount; df /w | tail -n 1 | cut -d' ' -f1", 0, "overlay on / type overlay (rw,relatime)\noverlay\n", ""),
    "du": ("debian", "du -a dir; du -sh dir", 0, "4\tdir/.hidden\n4\tdir/in.yaml\n4\tdir/sub/deep\n8\tdir/sub\n20\tdir\n20K\tdir\n", ""),
    "stat": ("busybox", "stat -c '%n %s %y' a.txt", 0, "a.txt 19 2023-11-14 22:13:20.000000000 +0000\n", ""),
    "hexdump": ("busybox", "hexdump -C bin", 0, "00000000  00 01 ff 80 61 62 63 0a                           |....abc.|\n00000008\n", ""),
    "ls -C": ("busybox", "ls -C", 0, "a.txt       bin         c.csv       log         no-newline  words\nb.txt       blank       dir         long        nums\n", ""),
    "urandom differs": ("busybox", "a=$(head -c 8 /dev/urandom | base64); b=$(head -c 8 /dev/urandom | base64); [ $a != $b ] && echo y", 0, "y\n", ""),
    "awk that never ends": ("busybox", "awk 'BEGIN{while(1);}'; echo $?", 0, "2\n", "awk: cmd. line:1: a program that takes more than 2,000,000 steps at once is not run on here\n"),
    "sed that never ends": ("debian", "sed ':a;ba' a.txt; echo $?", 0, "4\n", "sed: a script that takes more than 100000 commands for a line is not run here\n"),
    "back-references": ("debian", "grep '\\(a\\)\\1' words; echo $?", 0, "2\n", "grep: back-references in a pattern are not supported here\n"),
    "getline": ("debian", "awk '{getline x}' a.txt; echo $?", 0, "2\n", "awk: cmd. line:1: getline is not supported here\n"),
    "tar of other kinds": ("debian", "tar cjf t.tbz a.txt; echo $?", 0, "2\n", "tar: bzip2 and xz are not simulated here (gzip is); a real tar has them\n"),
    "tar z of what is no archive": ("debian", "echo bad > t.tgz; tar xzf t.tgz; echo $?", 0, "2\n", "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n"),
    "gzip of half a file": ("busybox", "gzip -c long | head -c 100 | gunzip > /dev/null; echo $?", 0, "1\n", "gunzip: corrupted data\n"),
    "gzip of a wrong sum": ("debian", "(gzip -c a.txt | head -c -8; printf '\\001\\002\\003\\004\\023\\0\\0\\0') | gunzip; echo $?", 0, "1\n", "\ngzip: stdin: invalid compressed data--crc error\n"),
    "gzip of a directory": ("debian", "gzip dir; echo $?; gzip -l a.txt; echo $?", 0, "2\n1\n", "gzip: dir is a directory -- ignored\ngzip: -l is not simulated here; a real gzip has it\n"),
    "sed as it comes": ("busybox", "(echo a; sleep 2; date +%S >&2) | sed s/a/b/ | while read x; do date +%S:$x; done", 0, "00:b\n", "02\n"),
    "wget": ("busybox", ANSWER + "wget -O - http://127.0.0.1:8080/x; wait; cat req", 0, "hi\nGET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: Wget\r\nConnection: close\r\n\r\n", "Connecting to 127.0.0.1:8080 (127.0.0.1:8080)\nwriting to stdout\n-                    100% |********************************|     3  0:00:00 ETA\nwritten to stdout\n"),
    "wget to a file": ("busybox", ANSWER + "wget -q http://127.0.0.1:8080/a/b; cat b", 0, "hi\n", ""),
    "wget refused": ("busybox", "wget -q http://127.0.0.1:81/; echo $?", 0, "1\n", "wget: can't connect to remote host (127.0.0.1): Connection refused\n"),
    "wget 404": ("busybox", MISSING + "wget -q -O - 127.0.0.1:8080; echo $?", 0, "1\n", "wget: server returned error: HTTP/1.1 404 Not Found\n"),
    "wget moved": ("busybox", MOVED + "wget -q -O - 127.0.0.1:8080/x", 0, "moved\n", ""),
    "wget chunked": ("busybox", CHUNKED + "wget -q -O - 127.0.0.1:8080", 0, "abcd\n", ""),
    "wget times out": ("busybox", "sleep 99 | nc -l -p 8080 >/dev/null & sleep 1; wget -T 3 -q -O - 127.0.0.1:8080; echo $?", 0, "1\n", "wget: download timed out\n"),
    "wget bad url": ("busybox", "wget ftp://x/; echo $?", 0, "1\n", "wget: not an http or ftp url: ftp://x/\n"),
    "curl": ("extra", ANSWER + "curl -s -w '%{http_code}\\n' http://127.0.0.1:8080/", 0, "hi\n200\n", ""),
    "curl -i": ("extra", ANSWER + "curl -si localhost:8080", 0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n", ""),
    "curl -f": ("extra", MISSING + "curl -sSf localhost:8080; echo $?", 0, "22\n", "curl: (22) The requested URL returned error: 404\n"),
    "curl -L": ("extra", MOVED + "curl -sL localhost:8080", 0, "moved\n", ""),
    "curl -d": ("extra", ANSWER + "curl -s -X PUT -H 'A: b' -d x=1 localhost:8080; wait; tr -d '\\r' < req", 0, "hi\nPUT / HTTP/1.1\nHost: localhost:8080\nUser-Agent: curl/8.16.0\nAccept: */*\nA: b\nContent-Length: 3\nContent-Type: application/x-www-form-urlencoded\n\nx=1", ""),
    "curl refused": ("extra", "curl http://127.0.0.1:81; echo $?", 0, "7\n", "curl: (7) Failed to connect to 127.0.0.1 port 81 after 0 ms: Could not connect to server\n"),
    "curl -m": ("extra", "sleep 99 | nc -l -p 8080 > /dev/null & sleep 1; curl -s -S -m 2 127.0.0.1:8080; echo $?", 0, "28\n", "curl: (28) Operation timed out after 2000 milliseconds with 0 bytes received\n"),
    "curl -o": ("extra", ANSWER + "curl -s -o out 127.0.0.1:8080; cat out", 0, "hi\n", ""),
    "curl bad url": ("extra", "curl; curl 'http://x:y/'; echo $?", 0, "3\n", "curl: (2) no URL specified\ncurl: try 'curl --help' for more information\ncurl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n"),
    "nc -z": ("busybox", "nc -z -v 127.0.0.1 99; echo $?; nc -lk -p 9 & sleep 1; nc -zv 127.0.0.1 9; echo $?", 0, "1\n0\n", "nc: 127.0.0.1 (127.0.0.1:99): Connection refused\n127.0.0.1 (127.0.0.1:9) open\n"),
    "nc both ways": ("busybox", "echo hello | nc -l -p 9 > out & sleep 1; echo hi | nc 127.0.0.1 9; wait; cat out", 0, "hello\nhi\n", ""),
    "clear": ("busybox", "clear; vi x; echo $?", 0, "\x1b[H\x1b[J1\n", "vi: no full-screen editor is simulated in a container; a real one has vi (use sed -i, or kubectl cp)\n"),
    "bash": ("debian", "bash -c 'echo $0'; dash -c 'echo hi'; ash", 127, "bash\nhi\n", "sh: ash: not found\n"),
    "ping": ("busybox", "ping -c 2 127.0.0.1", 0, "PING 127.0.0.1 (127.0.0.1): 56 data bytes\n64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.050 ms\n64 bytes from 127.0.0.1: seq=1 ttl=64 time=0.050 ms\n\n--- 127.0.0.1 ping statistics ---\n2 packets transmitted, 2 packets received, 0% packet loss\n", ""),
}  # fmt: skip


def test_what_becomes_too_long_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(9 << 20)).decode("latin-1")
    result = Box("busybox", {"/w/b.gz": tree.file(packed)}).sh("gunzip -c b.gz | wc -c")
    assert (result.out, result.err) == ("0\n", "gunzip: more than 8 MiB are not unpacked here\n")


@pytest.mark.parametrize("case", CASES)
def test_programs(case: str) -> None:
    flavour, line, status, out, err = CASES[case]
    box = Box("busybox", names=("curl", "openssl", "ss")) if flavour == "extra" else Box(flavour)
    result = box.sh(line)
    assert (result.status, result.out, result.err) == (status, out, err)


def test_every_program_is_listed_once() -> None:
    listed = [each.name for each in (*COMMON, *BUSYBOX, *DEBIAN, *EXTRA)]
    assert len(listed) == len(set(listed)) == len(PROGRAMS)
    assert all(
        [each.run, each.filter, each.on, each.shell or None].count(None) == 3 for each in PROGRAMS.values()
    ), "exactly one shape"
    assert of("none") == ()
    assert program("nope") is None
    found: set[int] = set()
    for path in sorted((ROOT / "programs").rglob("*.py")):
        names = path.relative_to(ROOT.parent).with_suffix("").parts
        module = import_module(".".join(("cluster_engine", *(name for name in names if name != "__init__"))))
        for value in vars(module).values():
            values = value if isinstance(value, tuple) else (value,)
            found |= {id(each) for each in values if isinstance(each, Program)}
    assert found == {id(each) for each in PROGRAMS.values()}


def test_which_flavour_has_which() -> None:
    """What the applets of busybox 1.36 have, and a debian image has without more packages."""
    case = [
        "awk",
        "dd",
        "df",
        "du",
        "expr",
        "free",
        "md5sum",
        "mount",
        "od",
        "ping",
        "printenv",
        "readlink",
        "stat",
        "tar",
        "timeout",
        "top",
        "uptime",
    ]
    assert [name for name in case if name not in of("busybox")] == []
    missing = ("curl", "free", "less", "nc", "nslookup", "ping", "ps", "top", "uptime", "vi", "watch", "wget")
    assert [name for name in missing if name in of("debian")] == []
    assert "curl" not in of("busybox")


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_reaches_the_host(path: Path) -> None:
    """No module of the room imports what could touch the host, or (where learners' patterns are) `re`."""
    forbidden = {
        "asyncio", "io", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "sys", "tempfile",
        "threading", "time", "uuid",
    }  # fmt: skip
    if path.parent.name in ("programs", "awk", "files"):
        forbidden.add("re")
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    assert names & forbidden == set()


def test_top_leaves_the_terminal_as_it_was() -> None:
    box = Box("busybox")
    box.machine.open_terminal("t", 80, 24)
    tty = ["tty", "t"]
    box.start("sh", session="t", stdin=tty, stdout=tty, stderr=tty)
    box.settle()
    for keys in (
        "top -n 1 > /dev/null\r",
        "top > /dev/null\r",
        "q",
        "top > /dev/null\r",
        "\x03",
        "echo seen\r",
    ):
        box.machine.input("t", keys)
        box.settle()
    assert box.host.out().endswith("echo seen\r\nseen\r\n/w $ "), box.host.out()


@pytest.mark.parametrize("program", ["ip addr", "netstat -l", "ifconfig", "route"])
def test_the_host_is_asked_for_a_network_that_is_not_ones_own(program: str) -> None:
    box = Box("busybox")
    box.machine.set_addresses([])
    box.sh(program)
    (asked,) = box.host.calls
    assert asked[::2] == ("call", "interfaces")
    box.machine.answer(asked[1], None)
    box.machine.run(box.now)
    name = program.partition(" ")[0]
    told = f"{name}: what is on a node's own network is not simulated here; a real node has it\n"
    assert box.host.outputs[-1][2] == told
