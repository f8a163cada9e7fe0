# ruff: noqa: E501 (tables of words)
"""Programs called with wild words, scripts, archives and answers: they may refuse, they never break the machine."""

from __future__ import annotations

import io
import random
import tarfile

import pytest

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.programs import PROGRAMS
from tests.linux.programs.box import Box, sound

ENDLESS = ("sh", "ash", "bash", "dash", "yes", "top", "watch", "kill")
ANY = [
    "a.txt",
    "words",
    "dir",
    "nope",
    "c.csv",
    "bin",
    "-",
    "--",
    "/",
    "..",
    "x/y",
    "1",
    "0",
    "-1",
    "2,3",
    "1-",
    "99999999999999999999",
    "1e5",
    "0x10",
    "-n",
    "-n1",
    "-c",
    "-l",
    "-r",
    "-i",
    "-v",
    "-f",
    "-k1,1",
    "-k",
    "-t",
    "-t,",
    "-d,",
    "-d",
    "-f1",
    "-E",
    "-F",
    "-o",
    "-e",
    "-s",
    "-w",
    "-x",
    "-a",
    "-A1",
    "-m1",
    "-p",
    "-R",
    "-h",
    "--help",
    "--version",
    "-Z",
    "--nope=1",
    "--long",
    "s/a/b/g",
    "/o/p",
    "p;q",
    "{print",
    "BEGIN{print",
    "a=b",
    "X=1",
    "[a-z]*",
    "\\(a\\)",
    "(a|b",
    "a{2",
    "*",
    "[",
    "\\",
    "@0",
    "2020-01-01",
    "+%Y",
    "+%",
    "%s%d%q",
    "http://127.0.0.1:1/",
    "127.0.0.1",
    "80",
    "-z",
    "-u",
    "-name",
    "-type",
    "-exec",
    "{}",
    ";",
    "+",
    "!",
    "(",
    ")",
    "-size",
    "+1",
    "-delete",
    "if=a.txt",
    "of=o",
    "bs=0",
    "count=2",
    "755",
    "u+x",
    "u=rwx,g",
    "root",
    "1:1",
    "TERM",
    "-9",
    "5",
    "0.1",
    "sh",
    "echo",
    "cat",
    "true",
    "-I{}",
    "-0",
    "cf",
    "xf",
    "tf",
    "t.tar",
    "-C",
    "-L",
    "$((",
    "a'b",
    '"',
    "-B",
    "-q",
    "-D",
    "0-5",
    "5-2",
    "-An",
    "=",
    "<",
    ":",
]
WORDS: dict[str, list[str]] = {
    "awk": ["{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "==", "~", "!~", "&&", "||", "?", ":", "=", "+=", "++", "--", "$", "$1", "$0", "$NF", "$-1", "NF", "NR", "x", "y", "a[1]", 'a["k"]', "a", "1", "0", "1e300", "-5", '"s"', '"%c%d%s%*d"', '""', "/o/", "/(/", "print", "printf", "if", "else", "while", "for", "do", "in", "next", "exit", "break", "continue", "return", "delete", "f(", "f(1)", "length", "length(", "substr(", "index(", "split(", "sub(", "gsub(", "match(", "sprintf(", "int(", "sqrt(", "rand()", "srand()", "tolower(", "BEGIN", "END", "getline", "|", ">>", "FS", "OFS", "RS", "ORS", "close(", "NF=3", "$3=1", "$1000000=1", 'FS=""', 'RS=""', 'OFMT="%d"', 'CONVFMT="x"', "1/0", "1%0", "2^0.5", "2^5000", "1e308*10", "-1e308*1e308", "log("],
    "sed": ["s/a/b/", "s/o/&&/g", "s/\\(a\\)/\\1\\2/", "s/x*/y/g", "s//z/", "/o/", "/a/,/b/", "1", "2,3", "$", "1~2", "2,+1", "!", "{", "}", "p", "d", "q", "Q3", "n", "N", "D", "P", "h", "H", "g", "G", "x", "=", "l", "a\\x", "b", "t", "T", ":l", "bl", "tl", "y/abc/xyz/", "y/a/", "w", "e", "k", "#n", "s|a|b|", "\\,o,", "0,/x/", "s/a/b/3p", "s/[/b/", "s/\\(/b/", "I", "10q", "'"],
    "find": ["a.txt", "dir", ".", "nope", "-name", "*.txt", "[", "-type", "f", "d", "x", "-o", "-a", "!", "(", ")", "-print", "-prune", "-delete", "-empty", "-exec", "echo", "{}", ";", "+", "-size", "+1k", "-1c", "-mtime", "-newer", "-perm", "-644", "/111", "644", "-user", "root", "99", "-maxdepth", "1", "-quit", "-ls", "-depth"],
    "expr": ["1", "2", "0", "-3", "a", "abc", "+", "-", "*", "/", "%", "(", ")", ":", "=", "<", ">=", "|", "&", "length", "substr", "index", "match", "a\\(b\\)", "\\(", "99999999999999999999", ""],
    "date": ["-d", "@", "@1e9", "@99999999999", "-5 days", "2 weeks ago", "2020-13-01", "2020-02-30", "10:99", "+%", "+%-d%_H%3N%N%s%Q%", "-u", "-Ins", "9999999 days", "-r", "a.txt", "+"],
    "tar": ["cf", "xf", "tf", "tvf", "-", "x.tar", "a.txt", "dir", "bin", "--strip-components=x", "--exclude=", "-C", "/", "..", "-cvf", "xOf", "z"],
    "printf": ["%s%d%5.0f", "%*d", "%x%c%b", "\\x", "%", "%%", "1", "a", "-3", "1e999", "0x", "'a", ""],
    "sort": ["-k", "1", "2,3", "1.2,2.3n", "-n", "-h", "-g", "-V", "-M", "-t", ",", "-u", "-r", "-c", "-b", "-d", "-f", "a.txt", "b.txt", "-k1.0", "-k1n,2r", "-z", "-o", "o"],
    "tr": ["a-z", "z-a", "[:upper:]", "[:nope:]", "[a*]", "[a*5]", "[=a=]", "\\", "\\777", "", "-d", "-s", "-c", "a-", "[a*"],
    "cut": ["-f", "-c", "-b", "1-3", "-", "3-1", "0", "1,2", "-d", "", "::", "-s", "a.txt", "--complement"],
    "xargs": ["-n", "1", "0", "x", "-I", "{}", "echo", "-L", "2", "-0", "-d", "\\n", "-t", "-r", "sh", "-c", "-E", "b"],
}  # fmt: skip
INPUTS = ("", "a b c\nd o f\n", "x", "\x00\xff\n", "1\n2\n3\n" * 50, "{}\n'", "one two\nthree four\n\nfive")
ANSWERS = (
    "HTTP/1.1 200 OK\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", "garbage", "", "HTTP/9 999 \r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "HTTP/1.1 302 F\r\nLocation: ///\r\n\r\n",
    "HTTP/1.1 302 F\r\nLocation: x:y\r\n\r\n", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
)  # fmt: skip
CLIENTS = (
    "wget -O - ",
    "wget -S --spider ",
    "curl -siL ",
    "curl -sv -w '%{http_code}%{x}%%' -o o ",
    "curl -I -f ",
)
SEEDS = 40
CALLS = 12


def archive(chance: random.Random) -> str:
    """A tar archive with odd entries, cut or with bytes changed."""
    data = io.BytesIO()
    form = chance.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=data, mode="w", format=form) as made:
        for name in ("q/w", "e" * chance.choice((5, 90)), "../x", "/abs", "l"):
            entry = tarfile.TarInfo(name)
            entry.type = chance.choice(
                (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE)
            )
            content = b"z" * chance.choice((0, 5, 600, 5000)) if entry.type == tarfile.REGTYPE else b""
            entry.size, entry.linkname = len(content), "a.txt"
            made.addfile(entry, io.BytesIO(content))
    raw = bytearray(data.getvalue())
    for _ in range(chance.choice((0, 0, 1, 5))):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw[: chance.choice((len(raw), len(raw) // 2, 700))]).decode("latin-1")


def call(chance: random.Random) -> tuple[list[str], str]:
    """(arguments, standard input)."""
    kind = chance.choice(("any", "any", "awk", "awk", "sed", "archive", "answer", *WORDS))
    if kind == "archive":
        return [
            "tar",
            chance.choice(("xf", "tf", "tvf", "xvmf")),
            "-",
            *chance.choice(([], ["-C", "dir"])),
        ], archive(chance)
    if kind == "answer":
        line = f"nc -l -p 8 > /dev/null & sleep 1; {chance.choice(CLIENTS)}127.0.0.1:8"
        return ["sh", "-c", line], chance.choice(ANSWERS)
    stdin = chance.choice(INPUTS)
    if kind == "any":
        name = chance.choice([name for name in sorted(PROGRAMS) if name not in ENDLESS])
        return [name, *chance.choices(ANY, k=chance.randint(0, 5))], stdin
    words = chance.choices(WORDS[kind], k=chance.randint(1, 8))
    if kind == "awk":
        return ["awk", " ".join(words), *chance.choice(([], ["b.txt", "c.csv"]))], stdin
    if kind == "sed":
        return [
            "sed",
            chance.choice(("-n", "-E", "-i")),
            chance.choice(("", ";", "\n")).join(words),
            *chance.choice(([], ["a.txt"])),
        ], stdin
    return [kind, *words], stdin


def run(chance: random.Random) -> None:
    argv, stdin = call(chance)
    box = Box(chance.choice(("busybox", "debian")), names=("curl", argv[0], "nc", "wget"))
    try:
        process = box.start(*argv)
    except FileError:
        return
    box.machine.input("s", stdin)
    box.machine.end_input("s")
    for _ in range(2_000):
        due = box.machine.run(box.now)
        if due is None or process in box.host.exits:
            break
        box.now = max(box.now, due)
    sound(box.machine.state())


@pytest.mark.parametrize(
    "seed", [*range(SEEDS), *(pytest.param(n, marks=pytest.mark.slow) for n in range(SEEDS, 20 * SEEDS))]
)
def test_wild_words(seed: int) -> None:
    for number in range(CALLS):
        run(random.Random(f"{seed}/{number}"))
