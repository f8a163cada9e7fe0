"""Writes `expected.json` anew from the real busybox and the real GNU tools: `python -m tests.linux.programs.record`.

Needs root, busybox, setpriv and the GNU tools of Debian. Every line runs as nobody, busybox's in a root of its own,
so that no line can reach anything else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.linux.programs.cases import CASES, ELSEWHERE, FILES

NOBODY = 65534
LIBRARIES = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/x86_64-linux-gnu/libresolv.so.2",
    "/lib/x86_64-linux-gnu/libc.so.6",
)
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"


def _files(base: Path) -> None:
    for name, text in FILES.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
        path.chmod(0o644)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    for path in (base, *base.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


def _result(argv: list[str], work: str) -> list[object]:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    texts = [each.decode("latin-1").replace(work, "/w") for each in (done.stdout, done.stderr)]
    return [done.returncode, *texts]


def busybox(line: str, base: Path) -> list[object]:
    for folder in ("bin", "tmp", "etc", "dev", "w", "lib64", "lib/x86_64-linux-gnu"):
        (base / folder).mkdir(parents=True)
    (base / "tmp").chmod(0o1777)
    (base / "etc/passwd").write_text(PASSWD)
    (base / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    for name, minor in (("null", 3), ("zero", 5)):
        os.mknod(base / "dev" / name, 0o20666, os.makedev(1, minor))
        (base / "dev" / name).chmod(0o666)
    shutil.copy("/bin/busybox", base / "bin/busybox")
    for library in LIBRARIES:
        shutil.copy(library, str(base) + library)
    applets = subprocess.run(
        ["/bin/busybox", "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    for applet in applets:
        if applet != "busybox":
            os.link(base / "bin/busybox", base / "bin" / applet)
    _files(base / "w")
    argv = [
        "chroot",
        f"--userspec={NOBODY}:{NOBODY}",
        str(base),
        "/bin/busybox",
        "env",
        "-i",
        "PATH=/bin",
        "HOME=/tmp",
    ]
    return _result([*argv, "sh", "-c", f"cd /w; {line}"], "/w")


def debian(line: str, base: Path) -> list[object]:
    work = base / "w"
    work.mkdir()
    _files(work)
    argv = [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "env",
        "-i",
        "PATH=/usr/bin:/bin",
    ]
    return _result([*argv, "HOME=/tmp", "LC_ALL=C", "dash", "-c", f"cd {work} && {line}"], str(work))


def main() -> None:
    expected: dict[str, dict[str, list[object]]] = {}
    for flavour, run in (("busybox", busybox), ("debian", debian)):
        expected[flavour] = {}
        for name, line in CASES.items():
            if name in ELSEWHERE[flavour]:
                continue
            with tempfile.TemporaryDirectory() as folder:
                base = Path(folder)
                base.chmod(0o755)
                expected[flavour][name] = run(line, base)
    path = Path(__file__).with_name("expected.json")
    path.write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
