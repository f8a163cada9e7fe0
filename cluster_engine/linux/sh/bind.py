"""From instructions to functions: each instruction is bound once, and shared by all machines. A cache, never state.

A bound instruction takes the shell and gives the next pc, or one of ``shell``'s negative answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.linux import descriptors, pipes
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Code, Kernel, Record
from cluster_engine.linux.sh import arithmetic, arrays, conditions, ends, jobs, pattern, prompt, run
from cluster_engine.linux.sh.builtins import BUILTINS, SPECIAL, testing
from cluster_engine.linux.sh.compile import CHECKED, TAIL
from cluster_engine.linux.sh.errors import ParseError, ShellError
from cluster_engine.linux.sh.expand import bind_fields, bind_text, constant, segments
from cluster_engine.linux.sh.shell import CHARGED, SMALL, WAIT, Redirect, Shell, Text

Op = Callable[[Shell], int]

MAX_BOUND = 2_048
"""Texts that are kept bound."""

MAX_FDS = 1 << 20
"""Where no limit of descriptors is set."""

_bound: dict[str, list[Op]] = {}


def bound(digest: str, codes: dict[str, Code]) -> list[Op]:
    """The functions of a text's instructions."""
    found = _bound.get(digest)
    if found is None:
        if len(_bound) >= MAX_BOUND:
            del _bound[next(iter(_bound))]
        code = codes[digest]
        found = _bound[digest] = [
            _BINDERS[instruction[0]](pc, *instruction[1:]) for pc, instruction in enumerate(code)
        ]
    return found


# --- simple commands -------------------------------------------------------------------------------


def _redirects(redirects: list[list[Any]]) -> list[Redirect]:
    return [(fd, operator, bind_text(word)) for fd, operator, word in redirects]


def _run(pc: int, words: list[Any], assigns: list[Any], redirects: list[Any], flags: int, line: int) -> Op:
    checked, tail = bool(flags & CHECKED), bool(flags & TAIL)
    back = (pc, pc + 1, checked)
    fields = [bind_fields(word) for word in words]
    bound_assigns = [(name, bind_text(word)) for name, word in assigns]
    bound_redirects = _redirects(redirects)

    def general(sh: Shell) -> int:
        process = sh.p
        if process["call"] is not None:
            return run.resumed(sh, back)
        process["line"] = line
        argv: list[str] = []
        for append in fields:
            append(sh, argv)
        return run.command(sh, argv, bound_assigns, bound_redirects, back, tail)

    if assigns or redirects or not words:
        return general
    fixed = [text for text in map(constant, words) if text is not None]
    if len(fixed) < len(words):
        quick = _quick_test(words, general, pc + 1, checked) if len(words) == 5 else None
        return quick or general

    name = fixed[0]
    outside = name not in SPECIAL and name not in run.CONTROLS and name not in BUILTINS

    def plain(sh: Shell) -> int:
        process = sh.p
        if process["opts"] or process["call"] is not None:
            return general(sh)
        process["line"] = line
        if outside and name not in process["funcs"]:
            return run.program(sh, fixed.copy(), [], {}, back, tail)
        return run.dispatch(sh, fixed.copy(), [], {}, back, tail)

    return _nothing(plain, pc + 1) if fixed in ([":"], ["true"]) else plain


def _nothing(general: Op, nxt: int) -> Op:
    """``:`` and ``true``, as long as nothing is unusual."""

    def nothing(sh: Shell) -> int:
        if sh.p["opts"] or "true" in sh.p["funcs"]:
            return general(sh)
        sh.status = 0
        return nxt

    return nothing


_QUICK = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge")


def _quick_test(words: list[Any], general: Op, nxt: int, checked: bool) -> Op | None:
    """``[ a -lt b ]`` and ``[ "$a" = b ]`` without a command, as long as nothing is unusual."""
    operator = constant(words[2])
    if constant(words[0]) != "[" or constant(words[4]) != "]" or operator is None:
        return None
    left, right = _one(words[1]), _one(words[3])
    if left is None or right is None:
        return None
    if operator in _QUICK:
        compare = testing.compare

        def numbers(sh: Shell) -> int:
            a, b = left(sh), right(sh)
            if (
                sh.p["opts"]
                or sh.p["funcs"]
                or not a.isdecimal()
                or not b.isdecimal()
                or len(a) + len(b) > 30
            ):
                return general(sh)
            sh.status = 0 if compare(int(a), operator, int(b)) else 1
            return nxt

        return numbers
    if operator in ("=", "!="):
        wanted = operator == "="

        def texts(sh: Shell) -> int:
            a, b = left(sh), right(sh)
            if sh.p["opts"] or sh.p["funcs"] or not a.isalnum() or not b.isalnum():
                return general(sh)
            sh.status = 0 if (a == b) is wanted else 1
            return nxt

        return texts
    return None


def _one(word: list[Any]) -> Text | None:
    """A word without side effects that is one field when it is alphanumeric."""
    if all(isinstance(part, str) or part[0] in ("q", "p", "d") for part in word) and len(word) == 1:
        part = word[0]
        inner = part[1] if not isinstance(part, str) and part[0] == "d" else [part]
        if all(
            isinstance(each, str)
            or each[0] == "q"
            or (each[0] == "p" and not each[2] and each[1] not in "@*!-")
            for each in inner
        ):
            return bind_text(word)
    return None


def _set(pc: int, name: str, word: list[Any], last: bool, substituted: bool, checked: bool) -> Op:
    text = bind_text(word)
    nxt = pc + 1
    if name in ("OPTIND", "PATH") or substituted or not last:

        def slow(sh: Shell) -> int:
            value = text(sh)
            sh.assign(name, value)
            if "x" in sh.p["opts"]:
                run.trace(sh, [(name, value)], [])
            if not last:
                return nxt
            return ends.done(sh, sh.p["sub"] if substituted else 0, nxt, checked)

        return slow

    def quick(sh: Shell) -> int:
        value = text(sh)
        if sh.guarded or len(value) >= SMALL or len(sh.vars) > 1000:
            sh.assign(name, value)
        else:
            sh.vars[name] = value
        sh.status = 0
        if sh.p["opts"] and "x" in sh.p["opts"]:
            run.trace(sh, [(name, value)], [])
            return ends.done(sh, 0, nxt, False)
        return nxt

    return quick


# --- children --------------------------------------------------------------------------------------


def _sub(pc: int, number: int, goal: int) -> Op:
    key = str(number)

    def op(sh: Shell) -> int:
        process, kernel = sh.p, sh.kernel
        call = process["call"]
        if call is None:
            collector = pipes.collector(kernel, process["id"])
            child = jobs.fork(sh, pc + 1)
            child["opts"].pop("e", None)  # as busybox has it
            kernel.stream(collector)["refs"] = 1
            _become(kernel, child, "1", "c" + collector)
            process["call"] = ["sub", [child["id"]], collector]
            kernel.sleep(process)
            sh.next = pc
            return WAIT
        _, ids, collector = call
        if ids[0] not in process["ended"] or kernel.io[collector]["refs"]:
            kernel.sleep(process)
            sh.next = pc
            return WAIT
        status, how = process["ended"].pop(ids[0])
        text = "".join(kernel.io[collector]["q"])
        kernel.drop_stream(collector)
        process["res"][key] = text.replace("\0", "").rstrip("\n")
        process["sub"] = status
        process["call"] = None
        sh.extra += 1 + len(text) // 64
        if how == "INT" and "i" in process["opts"]:
            process["drop"] = True
        sh.next = goal
        return CHARGED

    return op


def _skip(pc: int, name: str, operator: str, goal: int) -> Op:
    def op(sh: Shell) -> int:
        value = sh.parameter(name)
        missing = value is None or (operator.startswith(":") and value == "")
        used = not missing if operator[-1] == "+" else missing
        return pc + 1 if used else goal

    return op


def _fork(pc: int, goal: int, checked: bool, source: str) -> Op:
    back = (pc, goal, checked)

    def op(sh: Shell) -> int:
        if sh.p["call"] is not None:
            return run.resumed(sh, back)
        child = jobs.fork(sh, pc + 1)
        jobs.group(sh, child, None, True)
        return jobs.wait_for(sh, [child["id"]], source, pc)

    return op


def _background(pc: int, goal: int, source: str) -> Op:
    def op(sh: Shell) -> int:
        process = sh.p
        child = jobs.fork(sh, pc + 1)
        if "m" in process["opts"]:
            jobs.group(sh, child, None, False)
        else:
            _detach(sh.kernel, child, True)
        process["last"] = child["pid"]
        jobs.add(sh, [child["id"]], child["pid"], source)
        sh.status = 0
        sh.next = goal
        return CHARGED

    return op


def _detach(kernel: Kernel, child: Record, first: bool) -> None:
    """Without job control a background job does not hear of ^C, and does not read what the shell reads."""
    child["traps"] = {**child["traps"], "INT": "", "QUIT": ""}
    child["ignored"] = ["INT", "QUIT"]
    if first:
        _become(kernel, child, "0", "n")


def _pipe(pc: int, starts: list[int], goal: int, checked: bool, source: str, background: bool) -> Op:
    back = (pc, goal, checked)

    def op(sh: Shell) -> int:
        process, kernel = sh.p, sh.kernel
        if process["call"] is not None:
            return run.resumed(sh, back)
        if process["limits"].get("n", MAX_FDS) <= descriptors.lowest(process["fds"]) + 1:
            raise ShellError(
                "can't create pipe: Bad file descriptor"
            )  # busybox's word for too many open files
        children: list[Any] = []
        reader = ""
        for index, start in enumerate(starts):
            child = jobs.fork(sh, start)
            jobs.group(sh, child, children[0] if children else None, not background)
            if background and "m" not in process["opts"]:
                _detach(kernel, child, not children)
            children.append(child)
            if reader:
                _become(kernel, child, "0", reader)
            reader = ""
            if index < len(starts) - 1:
                pipe = pipes.make(kernel)
                record = kernel.stream(pipe)
                record["writers"] = record["readers"] = 1
                _become(kernel, child, "1", "w" + pipe)
                reader = "r" + pipe
        ids = [child["id"] for child in children]
        if not background:
            return jobs.wait_for(sh, ids, source, pc)
        process["last"] = children[-1]["pid"]
        jobs.add(sh, ids, process["last"], source)
        sh.status = 0
        sh.next = goal
        return CHARGED

    return op


def _become(kernel: Kernel, child: Record, fd: str, desc: str) -> None:
    """A child's descriptor is replaced by one that is counted already."""
    before = child["fds"].get(fd)
    child["fds"][fd] = desc
    if before is not None:
        descriptors.release(kernel, before)


# --- jumps and loops -------------------------------------------------------------------------------


def _jump(pc: int, goal: int) -> Op:
    return lambda sh: goal


def _jump_zero(pc: int, goal: int) -> Op:
    nxt = pc + 1
    return lambda sh: nxt if sh.status else goal


def _jump_not(pc: int, goal: int) -> Op:
    nxt = pc + 1
    return lambda sh: goal if sh.status else nxt


def _not(pc: int) -> Op:
    def op(sh: Shell) -> int:
        sh.status = 0 if sh.status else 1
        return pc + 1

    return op


def _status(pc: int, value: int) -> Op:
    def op(sh: Shell) -> int:
        sh.status = value
        return pc + 1

    return op


def _loop(pc: int, leave: int, again: int) -> Op:
    frame = ["L", leave, again]

    def op(sh: Shell) -> int:
        sh.deeper()
        sh.stack.append(frame)
        sh.stack.append(0)
        return pc + 1

    return op


def _keep(pc: int, goal: int) -> Op:
    def op(sh: Shell) -> int:
        sh.stack[-1] = sh.status
        return goal

    return op


def _end_loop(pc: int) -> Op:
    def op(sh: Shell) -> int:
        sh.status = sh.stack.pop()
        sh.stack.pop()
        return pc + 1

    return op


def _for(pc: int, name: str, words: list[Any] | None, leave: int) -> Op:
    fields = [bind_fields(word) for word in words] if words is not None else []

    def op(sh: Shell) -> int:
        sh.deeper()
        values: list[str] = []
        if words is None:
            values = list(sh.p["args"])
        for append in fields:
            append(sh, values)
        sh.stack.append(["F", leave, pc + 1, values])
        sh.stack.append(0)
        sh.stack.append(0)
        return pc + 1

    return op


def _next(pc: int, name: str, leave: int) -> Op:
    nxt = pc + 1

    def op(sh: Shell) -> int:
        stack = sh.stack
        index = stack[-2]
        values = stack[-3][3]
        if index >= len(values):
            sh.status = stack[-1]
            del stack[-3:]
            return leave
        stack[-2] = index + 1
        value = values[index]
        if sh.guarded or len(value) >= SMALL:
            sh.assign(name, value)
        else:
            sh.vars[name] = value
        return nxt

    return op


def _case(pc: int, subject: list[Any], arms: list[Any], goal: int) -> Op:
    text = bind_text(subject)
    tests: list[tuple[str | None, list[Any], int]] = [
        (constant(word), word, target) for words, target in arms for word in words
    ]

    def op(sh: Shell) -> int:
        value = text(sh)
        if len(value) > 256:
            sh.extra += len(value) // 256
        for fixed, word, target in tests:
            if fixed is not None:
                if fixed == value:
                    return target
            elif word == ["*"] or pattern.matches(segments(sh, word), value):
                return target
        sh.status = 0
        return goal

    return op


# --- functions, ends, redirections -----------------------------------------------------------------


def _define(pc: int, name: str, start: int, goal: int, source: str) -> Op:
    def op(sh: Shell) -> int:
        funcs = sh.p["funcs"]
        if name in SPECIAL:
            raise ShellError(f"{name}: is a special builtin")
        if len(funcs) >= sh.kernel.limits.functions:
            raise ShellError("out of memory")
        funcs[name] = [sh.p["code"], start, source]
        sh.status = 0
        return goal

    return op


def _return(pc: int) -> Op:
    return ends.returned


def _exit(pc: int) -> Op:
    return lambda sh: ends.leave(sh, sh.status)


def _redirect(pc: int, redirects: list[Any], goal: int, checked: bool) -> Op:
    prepared = _redirects(redirects)

    def op(sh: Shell) -> int:
        try:
            slots = sh.redirect(prepared)
        except (ShellError, FileError) as error:
            sh.say(str(error))
            return ends.done(sh, 1, goal, checked)
        sh.push_redirects(slots, False)
        return pc + 1

    return op


def _restore(pc: int) -> Op:
    def op(sh: Shell) -> int:
        sh.pop_redirects()
        return pc + 1

    return op


# --- of bash ---------------------------------------------------------------------------------------


def _let(pc: int, word: list[Any]) -> Op:
    text, nxt = bind_text(word), pc + 1

    def op(sh: Shell) -> int:
        expression = text(sh)
        sh.extra += len(expression) // 64
        sh.status = 0 if arithmetic.compiled(expression)(sh) else 1
        return nxt

    return op


def _test(pc: int, operator: str, left: list[Any], right: list[Any] | None) -> Op:
    first, nxt = bind_text(left), pc + 1

    def op(sh: Shell) -> int:
        value = first(sh)
        sh.extra += len(value) // 256
        sh.status = 0 if conditions.holds(sh, operator, value, segments(sh, right or [])) else 1
        return nxt

    return op


def _check(pc: int, checked: bool) -> Op:
    nxt = pc + 1
    return lambda sh: ends.done(sh, sh.status, nxt, checked) if sh.status and sh.p["opts"] else nxt


def _element(pc: int, name: str, index: list[Any], word: list[Any], more: bool) -> Op:
    place, text, nxt = bind_text(index), bind_text(word), pc + 1

    def op(sh: Shell) -> int:
        arrays.assign(sh, name, place(sh), text(sh), more=more)
        sh.status = 0
        return nxt

    return op


def _array(pc: int, name: str, items: list[list[Any]], more: bool) -> Op:
    bound_items = [
        (None, bind_fields(word)) if index is None else (bind_text(index), bind_text(word))
        for index, word in items
    ]
    nxt = pc + 1

    def op(sh: Shell) -> int:
        given: list[arrays.Item] = []
        for index, get in bound_items:
            if index is None:
                fields: list[str] = []
                get(sh, fields)  # type: ignore[call-arg]
                given += [(None, field) for field in fields]
            else:
                given.append((index(sh), get(sh)))  # type: ignore[call-arg, arg-type]
        arrays.assign_all(sh, name, given, more=more)
        sh.status = 0
        return nxt

    return op


def _read(pc: int) -> Op:
    return prompt.read


def _rest(pc: int, text: str, error: str) -> Op:
    def op(sh: Shell) -> int:
        if error:
            raise ParseError(error)
        return sh.run_text(text, "rest", True, pc + 1)

    return op


_BINDERS: dict[str, Callable[..., Op]] = {
    "RUN": _run, "SET": _set, "SUB": _sub, "SKIP": _skip, "FORK": _fork, "BG": _background, "PIPE": _pipe,
    "JMP": _jump, "JZ": _jump_zero, "JNZ": _jump_not, "NOT": _not, "ST": _status, "LOOP": _loop, "KEEP": _keep,
    "ENDL": _end_loop, "FOR": _for, "NEXT": _next, "CASE": _case, "DEF": _define, "RET": _return, "EXIT": _exit,
    "READ": _read, "REDIR": _redirect, "UNRED": _restore, "REST": _rest,
    "LET": _let, "TEST": _test, "CHK": _check, "ELEM": _element, "ARR": _array,
}  # fmt: skip
