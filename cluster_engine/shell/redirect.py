"""Redirections: from `> file`, `2>&1`, `<<EOF` to streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_engine.linux.sh.syntax import Redirect

from .context import CLOSED, encode
from .errors import ShellError, VfsError
from .limits import MAX_TEXT_LINE
from .streams import FileWriter, Null, Source, Stream

if TYPE_CHECKING:
    from .evaluate import Evaluator
    from .shell import Shell

_REASONS = {
    "No such file or directory": ("Directory nonexistent", "No such file"),
}


def device(shell: Shell, name: str, io: dict[int, Stream]) -> Stream | None:
    """The stream of a path below /dev, or None for an ordinary path."""
    match name:
        case "/dev/null":
            return Null()
        case "/dev/stdin" | "/dev/fd/0":
            return io.get(0, CLOSED)
        case "/dev/stdout" | "/dev/fd/1":
            return io.get(1, CLOSED)
        case "/dev/stderr" | "/dev/fd/2":
            return io.get(2, CLOSED)
        case "/dev/tty":
            if shell.tty is None:
                raise ShellError("cannot open /dev/tty: No such device or address")
            return shell.tty
    return None


async def redirect(
    evaluator: Evaluator, redirects: tuple[Redirect, ...], io: dict[int, Stream]
) -> dict[int, Stream]:
    """A copy of `io` with the redirections applied from left to right."""
    result = dict(io)
    for each in redirects:
        await evaluator.kernel.tick()
        if each.operator in ("<<", "<<-"):
            text = await evaluator.expander.text(each.body, io) if each.body is not None else ""
            result[each.descriptor] = Source(evaluator.kernel, encode(text))
            continue
        target = await evaluator.expander.text(each.target, io)
        if len(target) > MAX_TEXT_LINE:
            raise ShellError("the target of a redirection is too long")
        if each.operator == "<<<":
            result[each.descriptor] = Source(evaluator.kernel, encode(target + "\n"))
        elif each.operator in (">&", "<&"):
            _duplicate(each, target, result)
        elif each.operator == "<":
            result[each.descriptor] = _reader(evaluator, target, result)
        else:
            append = each.operator.endswith(">>")
            writer = _writer(evaluator, target, result, append)
            if each.operator.startswith("&"):
                result[1] = result[2] = writer
            else:
                result[each.descriptor] = writer
    return result


def _duplicate(each: Redirect, target: str, result: dict[int, Stream]) -> None:
    if target == "-":
        result.pop(each.descriptor, None)
    elif len(target) == 1 and target in "0123456789":
        if int(target) not in result:
            raise ShellError(f"{target}: Bad file descriptor")
        result[each.descriptor] = result[int(target)]
    else:
        raise ShellError(f"Bad fd number: {target[:40]}")


def _reader(evaluator: Evaluator, target: str, io: dict[int, Stream]) -> Stream:
    special = device(evaluator.shell, target, io)
    if special is not None:
        return special
    try:
        data = evaluator.shell.vfs.read(evaluator.process.path(target))
    except VfsError as error:
        reason = _REASONS.get(error.reason, ("", error.reason))[1]
        raise ShellError(f"cannot open {target}: {reason}") from None
    return Source(evaluator.kernel, data)


def _writer(evaluator: Evaluator, target: str, io: dict[int, Stream], append: bool) -> Stream:
    special = device(evaluator.shell, target, io)
    if special is not None:
        return special
    path = evaluator.process.path(target) + ("/" if target.endswith("/") else "")
    try:
        return FileWriter(evaluator.kernel, evaluator.shell.vfs, path, append)
    except VfsError as error:
        reason = _REASONS.get(error.reason, (error.reason,))[0]
        raise ShellError(f"cannot create {target}: {reason}") from None
