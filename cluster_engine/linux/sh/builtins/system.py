"""``cd pwd umask ulimit trap times kill jobs fg bg wait``."""

from __future__ import annotations

from cluster_engine.linux import processes, signals
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh import ends, jobs
from cluster_engine.linux.sh.base import Back, Usage, flags, quote
from cluster_engine.linux.sh.shell import CHARGED, WAIT, Shell


def _cd(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "LP")
    target = words[0] if words else sh.vars.get("HOME", "")
    shown = False
    if target == "-":
        target, shown = sh.vars.get("OLDPWD", sh.cwd()), True
    files = sh.files()
    found = ""
    try:
        if target and not target.startswith(("/", "./", "../")) and target not in (".", ".."):
            for directory in [each for each in sh.vars.get("CDPATH", "").split(":") if each]:
                if files.is_dir(f"{directory}/{target}"):
                    target, shown = f"{directory}/{target}", True
                    break
        found = _logical(sh.cwd(), target)
        if not files.is_dir(found):
            files.stat(found)
            raise FileError("Not a directory")
        if not files.access(found, 1):
            raise FileError("Permission denied")
    except FileError as error:
        raise Usage(f"can't cd to {target}: {error.reason}") from None
    physical = files.realpath(found)
    sh.vars["OLDPWD"] = sh.cwd()
    sh.p["cwd"] = physical
    sh.vars["PWD"] = physical if "P" in given else found
    if shown:
        sh.write(fds, 1, sh.vars["PWD"] + "\n")
    return 0


def _logical(cwd: str, target: str) -> str:
    """The path without ``.`` and ``..``."""
    parts: list[str] = []
    for part in (target if target.startswith("/") else f"{cwd}/{target}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _pwd(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, _ = flags(argv, "LP")
    sh.write(fds, 1, (sh.p["cwd"] if "P" in given else sh.cwd()) + "\n")
    return 0


def _umask(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "S")
    mask: int = sh.p["umask"]
    if not words:
        if "S" in given:
            sh.write(
                fds, 1, ",".join(f"{who}={_letters(~mask >> shift)}" for who, shift in _WHO.items()) + "\n"
            )
        else:
            sh.write(fds, 1, f"{mask:04o}\n")
        return 0
    text = words[0]
    if text.isdecimal() and len(text) < 5 and not set(text) - set("01234567"):
        sh.p["umask"] = int(text, 8) & 0o777
        return 0
    for clause in text.split(","):
        mask = _symbolic(mask, clause, text)
    sh.p["umask"] = mask
    return 0


_WHO = {"u": 6, "g": 3, "o": 0}


def _letters(bits: int) -> str:
    return "".join(letter for letter, bit in (("r", 4), ("w", 2), ("x", 1)) if bits & bit)


def _symbolic(mask: int, clause: str, text: str) -> int:
    at = 0
    while at < len(clause) and clause[at] in "ugoa":
        at += 1
    who, operator, rest = clause[:at] or "a", clause[at : at + 1], clause[at + 1 :]
    if operator not in ("+", "-", "=") or rest.strip("rwx"):
        raise Usage(f"illegal mode: {text}")
    bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in dict.fromkeys(rest))
    for name, shift in _WHO.items():
        if name not in who and "a" not in who:
            continue
        allowed = ~mask >> shift & 7
        allowed = bits if operator == "=" else allowed | bits if operator == "+" else allowed & ~bits
        mask = mask & ~(7 << shift) | (~allowed & 7) << shift
    return mask


_LIMITS = {
    "c": ("core file size (blocks)", "0"), "d": ("data seg size (kb)", "unlimited"),
    "f": ("file size (blocks)", "unlimited"), "l": ("max locked memory (kb)", "8192"),
    "m": ("max memory size (kb)", "unlimited"), "n": ("open files", "descriptors"),
    "s": ("stack size (kb)", "8192"), "t": ("cpu time (seconds)", "unlimited"),
    "u": ("max user processes", "processes"), "v": ("virtual memory (kb)", "unlimited"),
}  # fmt: skip


def _ulimit(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    """Shows and sets what the process and its children may use (``budgets.py``; ``c d l m s`` are only shown)."""
    given, words = flags(argv, "HSa" + "".join(_LIMITS))
    chosen = [letter for letter in given if letter in _LIMITS] or ["f"]
    kept = sh.p["limits"]

    def value(letter: str) -> str:
        if letter in kept:
            return str(kept[letter])
        text = _LIMITS[letter][1]
        return str(getattr(sh.kernel.limits, text)) if text in ("descriptors", "processes") else text

    if "a" in given:
        rows = [f"{name:<32}(-{letter}) {value(letter)}\n" for letter, (name, _) in _LIMITS.items()]
        sh.write(fds, 1, "".join(rows))
        return 0
    if not words:
        sh.write(fds, 1, "".join(value(letter) + "\n" for letter in chosen))
        return 0
    if words[0] != "unlimited" and not (words[0].isdecimal() and len(words[0]) < 16):
        raise Usage(f"bad number: {words[0]}")
    for letter in chosen:
        now = value(letter)
        higher = now != "unlimited" and (words[0] == "unlimited" or int(words[0]) > int(now))
        if higher and (sh.p["who"]["uid"] != 0 or _LIMITS[letter][1] in ("descriptors", "processes")):
            raise Usage("error setting limit: Operation not permitted", 1)
        limits = {name: each for name, each in sh.p["limits"].items() if name not in (letter, letter.upper())}
        if words[0] != "unlimited":
            limits[letter] = int(words[0])
            if letter == "t" and "S" not in given:
                limits["T"] = int(words[0])
        sh.p["limits"] = limits
    return 0


def _trap(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    _, words = flags(argv, "p")
    traps = sh.p["traps"]
    if not words:
        order = ["EXIT", *signals.NUMBERS]
        for name in order:
            if name in traps and name not in sh.p["ignored"]:
                sh.write(fds, 1, f"trap -- {quote(traps[name])} {name}\n")
        return 0
    if len(words) == 1 or words[0].isdecimal():
        action: str | None = None
    else:
        action = words.pop(0)
        action = None if action == "-" else action
    traps = dict(traps)
    for word in words:
        name = "EXIT" if word == "0" else signals.name_of(word) or ""
        if not name or name == "0":
            raise Usage(f"{word}: invalid signal specification", 1)
        if name in ("KILL", "STOP"):
            continue
        if action is None:
            traps.pop(name, None)
        else:
            traps[name] = action
    sh.p["traps"] = traps
    sh.p["ignored"] = [name for name in sh.p["ignored"] if name not in words]
    return 0


def _times(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    own = sh.p["cpu"]

    def shown(value: int) -> str:
        return f"{value // 60_000_000}m{value // 1_000_000 % 60}.{value % 1_000_000 // 1000:03d}s"

    sh.write(fds, 1, f"{shown(own)} 0m0.000s\n0m0.000s 0m0.000s\n")
    return 0


# --- jobs ------------------------------------------------------------------------------------------


def _kill(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    name, words = kill_arguments(argv)
    if name == "list":
        sh.write(fds, 1, _listed(words))
        return 0
    status = 0
    for word in words:
        try:
            if word.startswith("%"):
                job = jobs.find(sh, word)
                if job is None:
                    raise Usage(f"{word}: no such job", 1)
                jobs.signal(sh, job, name)
            else:
                processes.kill(sh.kernel, sh.p, kill_number(word), name)
        except FileError as error:
            sh.write_error(fds, "kill", f"can't kill pid {word}: {error.reason}", False)
            status = 1
    return status


def kill_number(word: str) -> int:
    """A pid. Raises Usage."""
    digits = word[1:] if word[:1] == "-" else word
    if not digits.isdecimal() or len(digits) > 9:
        raise Usage(f"invalid number '{word}'", 1, line=False)
    return int(word)


def kill_arguments(argv: list[str]) -> tuple[str, list[str]]:
    """(signal, or "list", and what is left). Raises Usage."""
    words = argv[1:]
    name = "TERM"
    if words and words[0] in ("-l", "-L"):
        return "list", words[1:]
    if words and words[0] == "--":
        words = words[1:]
    elif words and words[0] in ("-s", "-n") and len(words) > 1:
        name, words = words[1], words[2:]
    elif words and words[0].startswith("-") and len(words[0]) > 1:
        name, words = words[0][1:], words[1:]
    found = signals.name_of(name)
    if found is None or found == "EXIT":
        raise Usage(f"bad signal name '{name}'", 1, line=False)
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise Usage("you need to specify whom to kill", 1, line=False)
    return found, words


def _listed(words: list[str]) -> str:
    if not words:
        return "".join(f"{number:>2}) {name}\n" for name, number in signals.NUMBERS.items())
    lines = []
    for word in words:
        if word.isdecimal():
            number = int(word[:6])
            name = signals.NAMES.get(number - 128 if number > 128 else number)
            lines.append(name or word)
        else:
            found = signals.name_of(word)
            if found is None:
                raise Usage(f"unknown signal '{word}'", 1, line=False)
            lines.append(str(signals.NUMBERS.get(found, 0)))
    return "".join(line + "\n" for line in lines)


def _kill_program(sys: Sys, argv: list[str]) -> int:
    try:
        name, words = kill_arguments(argv)
        if name == "list":
            sys.out(_listed(words))
            return 0
        status = 0
        for word in words:
            try:
                sys.kill(kill_number(word), name)
            except FileError as error:
                sys.error(f"can't kill pid {word}: {error.reason}")
                status = 1
    except Usage as error:
        sys.error(str(error))
        return error.status
    return status


def _pwd_program(sys: Sys, argv: list[str]) -> int:
    sys.out(sys.cwd + "\n")
    return 0


def _jobs(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "lp")
    chosen = sh.p["jobs"][::-1]
    if words:
        chosen = []
        for word in words:
            job = jobs.find(sh, word)
            if job is None:
                raise Usage(f"{word}: no such job")
            chosen.append(job)
    for job in chosen:
        if "p" in given:
            sh.write(fds, 1, f"{job['pid']}\n")
        else:
            line = jobs.described(job, jobs.mark(sh, job))
            if "l" in given:
                line = f"{line[:6]}{job['pid']} {line[6:]}"
            sh.write(fds, 1, line)
        if job["state"] == "Done":
            jobs.remove(sh, job["n"])
    return 0


def _fg(sh: Shell, argv: list[str], back: Back) -> int:
    if "m" not in sh.p["opts"] and not sh.p["jobs"]:
        raise Usage("No current job")
    job = jobs.find(sh, argv[1] if len(argv) > 1 else "%%")
    if job is None:
        raise Usage(f"{argv[1]}: no such job" if len(argv) > 1 else "No current job")
    foreground = argv[0] == "fg"
    if foreground:
        sh.write(sh.p["fds"], 1, f"{job['text']}\n")
    else:
        sh.write(sh.p["fds"], 1, f"[{job['n']}] {job['text']}\n")
    result = jobs.resume(sh, job, foreground, back[0])
    return ends.finish(sh, 0, back) if result == CHARGED else result


def _wait(sh: Shell, argv: list[str], back: Back) -> int:
    sh.p["call"] = ["wait", argv[1:], 0]
    return _wait_resume(sh, back)


def _wait_resume(sh: Shell, back: Back) -> int:
    process = sh.p
    _, words, status = process["call"]
    if not words:
        if any(job["state"] == "Running" for job in process["jobs"]):
            sh.kernel.sleep(process)
            sh.next = back[0]
            return WAIT
        process["jobs"] = [job for job in process["jobs"] if job["state"] == "Stopped"]
        return ends.finish(sh, 0, back)
    while words:
        job = jobs.find(sh, words[0])
        if job is None:
            status = 127 if not words[0].startswith("%") else 2
        elif job["state"] == "Running":
            process["call"] = ["wait", words, status]
            sh.kernel.sleep(process)
            sh.next = back[0]
            return WAIT
        else:
            status = jobs.status_of(job)
            if job["state"] == "Done" and not job["told"]:
                jobs.mourn(sh, job["ends"][job["ids"][-1]][1])
                jobs.tell_off(sh, job["n"])
        words = words[1:]
    return ends.finish(sh, status, back)


def _broken(sh: Shell, back: Back) -> int:
    """A trap interrupted what waited."""
    return ends.finish(sh, sh.p["call"][1], back)


BUILTINS = {
    "cd": _cd, "pwd": _pwd, "umask": _umask, "ulimit": _ulimit, "trap": _trap, "times": _times, "kill": _kill,
    "jobs": _jobs,
}  # fmt: skip
CONTROLS = {"fg": _fg, "bg": _fg, "wait": _wait}
RESUMES = {"wait": _wait_resume, "broken": _broken}
PROGRAMS = (
    Program("kill", "signal processes", "kill [-signal] pid …", run=_kill_program),
    Program("pwd", "print the working directory", "pwd", run=_pwd_program),
)
