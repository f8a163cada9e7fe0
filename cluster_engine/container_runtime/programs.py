"""Shapes that the programs of several images share: those that print and end, those that wait, entrypoint scripts."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.http import Line, say
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import rfc3339


def once(name: str, tell: Callable[[Sys, list[str]], tuple[int, list[Line]]]) -> Program:
    """A program that says something and ends with a status."""

    def run(sys: Sys, argv: list[str]) -> int:
        status, lines = tell(sys, argv)
        say(sys, lines)
        return status

    return Program(name, run=run)


def entrypoint_note(sys: Sys, level: str, text: str) -> Line:
    """A line of the entrypoint script of mysql and mariadb."""
    stamp = rfc3339(sys.now).replace("T", " ").replace("Z", "+00:00")
    return ("stdout" if level == "Note" else "stderr", f"{stamp} [{level}] [Entrypoint]: {text}")


def entrypoint(
    name: str, default: str = "", greet: Callable[[Sys, list[str]], list[Line]] | None = None
) -> Program:
    """An image's entrypoint script: says something, then becomes what it is given.

    Arguments that begin with a dash are those of ``default``, as the official images' scripts have it.
    """

    def on(sys: Sys, state: State, event: Event) -> State:
        words = list(sys.argv[1:])
        if default and (not words or words[0].startswith("-")):
            words.insert(0, default)
        if not words:
            sys.exit(0)
        if greet is not None:
            say(sys, greet(sys, words))
        try:
            sys.exec(words)
        except FileError:
            sys.err(f"{sys.argv[0]}: exec: {words[0]}: not found\n")
            sys.exit(127)

    return Program(name, on=on)


Talk = Callable[[Sys, State, State, str], tuple[str, str, bool]]
"""(sys, the server's state, what is kept of the connection, what came and was not taken yet) -> (what is answered, what
is not taken yet, whether the connection ends). Of the server's state only direct values may be replaced."""
TALKS = 128
"""Connections that such a server talks on at the same time; one more is closed at once."""

MAX_SAID = 1 << 20
"""Bytes that such a server answers to what came at once; then it hangs up. A few bytes can ask for a large value many
times."""


def by_lines(answer: Callable[[Sys, State, State, str], tuple[str, bool]], most: int) -> Talk:
    """A conversation of lines, of at most so many bytes each: a line is answered, or the connection ends."""

    def talk(sys: Sys, state: State, own: State, text: str) -> tuple[str, str, bool]:
        said = ""
        while "\n" in text:
            line, _, text = text.partition("\n")
            more, ends = answer(sys, state, own, line.removesuffix("\r"))
            said += more
            if ends or len(said) > MAX_SAID:
                return said, "", True
        return said, text, len(text) > most

    return talk


def daemon(
    name: str,
    start: Callable[[Sys], list[Line]],
    *,
    after: int,
    ports: tuple[int, ...],
    ready: Callable[[Sys], list[Line]],
    check: Callable[[Sys], tuple[int, list[Line]]] | None = None,
    stopping: Callable[[Sys], list[Line]] | None = None,
    stop_after: int = 20_000,
    talk: Talk | None = None,
) -> Program:
    """A server that says what it says and listens. Without ``talk`` its protocol is not simulated: it closes whoever
    talks to it."""

    def on(sys: Sys, state: State, event: Event) -> State:
        match event:
            case ["start", _]:
                if check is not None:
                    status, lines = check(sys)
                    if status:
                        say(sys, lines)
                        sys.exit(status)
                sys.trap("TERM", "catch")
                sys.trap("INT", "catch")
                say(sys, start(sys))
                sys.sleep(after)
                return {"stopping": False}
            case ["timer", _] if state["stopping"]:
                sys.exit(0)
            case ["timer", _]:
                try:
                    for port in ports:
                        sys.listen(port)
                except FileError as error:
                    sys.err(f"{sys.name}: bind: {error.reason}\n")
                    sys.exit(1)
                say(sys, ready(sys))
            case ["signal", _] if not state["stopping"]:
                state["stopping"] = True
                if stopping is not None:
                    say(sys, stopping(sys))
                sys.sleep(stop_after)
            case ["accepted", _, fd, _, _] if len(state.get("talks", ())) >= TALKS:
                sys.close(fd)
            case ["accepted", _, fd, _, _]:
                if talk is not None:
                    state["talks"] = {**state.get("talks", {}), str(fd): {"text": ""}}
                sys.read(fd)
            case ["data", fd, chunk] if talk is not None:
                own = dict(state["talks"][str(fd)])
                said, own["text"], ends = talk(sys, state, own, own["text"] + chunk)
                sys.write(fd, said)
                if ends:
                    return _hung_up(sys, state, fd)
                state["talks"][str(fd)] = own
                sys.read(fd)
            case ["data" | "end" | "failed", fd, *_]:
                return _hung_up(sys, state, fd)
        return state

    return Program(name, on=on)


def _hung_up(sys: Sys, state: State, fd: int) -> State:
    if "talks" in state:
        state["talks"] = {key: own for key, own in state["talks"].items() if key != str(fd)}
    sys.close(fd)
    return state
