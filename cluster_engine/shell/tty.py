"""The terminal: a line editor at the prompt, a line discipline while something runs.

`feed` takes what the browser sends, `write` (a callback) gets what it shows. Whoever owns the
terminal calls `run` to let the current line work for a slice and serves the host calls that
come back. Input typed while a line runs waits until something reads it, or for the next prompt.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable

from cluster_engine.linux.limits import MAX_LINE
from cluster_engine.linux.sh.parse import parse

from .completion import MAX_SHOWN, Offer, Request, analyse, apply, external_words, offer, paths
from .context import encode
from .editor import MAX_EDITED, LineEditor
from .errors import Incomplete, ParseError
from .external import ExecCall
from .kernel import Blocked, Done, Paused
from .keys import MAX_PASTE, Key, KeyReader
from .shell import Shell
from .streams import Sink, TtyInput
from .width import char_width, columns

CONTINUATION = "> "
MAX_TYPED_AHEAD = MAX_PASTE
KEYS_PER_SLICE = 256
"""Keys handled before the owner gets its turn; those that search or list count for more."""
_COSTS = {"tab": 32, "enter": 8, "search": 16}
MAX_CONTINUED = 500
"""Lines of one command outside here-documents: each new one is parsed with all before it."""
_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
_SUBMIT = Key("enter", "\r")

Completer = Callable[[Request, list[str]], None]


def default_prompt(shell: Shell) -> str:
    """`learner@drydock:~$ `, in colour."""
    home = shell.process.get("HOME") or "/"
    cwd = shell.process.cwd
    if cwd == home or cwd.startswith(home.rstrip("/") + "/"):
        cwd = "~" + cwd[len(home.rstrip("/")) :]
    user = shell.process.get("USER") or "learner"
    host = shell.process.get("HOSTNAME") or "drydock"
    return f"\x1b[1;32m{user}@{host}\x1b[0m:\x1b[1;34m{cwd}\x1b[0m$ "


class Terminal:
    """Binds a `Shell` to a screen and a keyboard."""

    def __init__(
        self,
        shell: Shell,
        write: Callable[[bytes], None],
        *,
        prompt: Callable[[Shell], str] = default_prompt,
        complete: Completer | None = None,
        banner: str = "",
        cols: int = 80,
        rows: int = 24,
    ) -> None:
        self.shell = shell
        self.closed = False
        self._write_bytes = write
        self._prompt = prompt
        self._complete = complete
        self._editor = LineEditor(cols)
        self._keys = KeyReader()
        self._queue: deque[Key] = deque()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: list[str] = []
        self._typed = 0
        self._waiting_for: Incomplete | None = None
        self._recalled: int | None = None
        self._draft = ""
        self._search: str | None = None
        self._search_at = 0
        self._cooked = ""
        self._at_line_start = True
        self._completing: Request | None = None
        self._input = TtyInput(shell.kernel)
        self._output = Sink(shell.kernel, self._show, is_tty=True)
        shell.tty = self._input
        shell.size = (cols, rows)
        if banner:
            self._write(banner.replace("\n", "\r\n"))
        self._new_prompt()

    # --- the outer surface ------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Is a command line running?"""
        return self.shell.kernel.busy

    def feed(self, data: str | bytes) -> None:
        """Keys, pastes, control characters from the browser."""
        text = self._decoder.decode(data) if isinstance(data, bytes) else data
        if self.closed or not text:
            return
        raw = self._raw_call()
        if raw is not None:
            self.shell.kernel.usage.output = 0
            raw.push_input(encode(self._keys.take_pending() + text))
            return
        waiting = sum(len(key.raw) for key in self._queue)
        for key in self._keys.feed(text):
            if key.name == "interrupt" and self.running:
                self._queue.clear()
                waiting = 0
                self.interrupt()
            elif waiting + len(key.raw) <= MAX_TYPED_AHEAD:
                waiting += len(key.raw)
                self._queue.append(key)
        self._drain()

    def resize(self, cols: int, rows: int) -> None:
        """The browser's terminal has another size."""
        cols, rows = max(4, min(cols, 1000)), max(1, min(rows, 1000))
        self.shell.size = (cols, rows)
        self._editor.resize(cols)
        for call in self.shell.kernel.calls:
            if isinstance(call, ExecCall):
                call.on_resize(cols, rows)

    def interrupt(self) -> None:
        """Ctrl-C while a line runs."""
        if not self.running:
            return
        self._cooked = ""
        self._input.drain()
        done = self.shell.kernel.interrupt()
        self._write("^C\r\n")
        self._at_line_start = True
        self._ended(done)

    def run(self, max_steps: int = 10_000) -> Blocked | Paused | None:
        """Let the line work for a slice. None: nothing runs, the terminal waits for a line."""
        if not self.running:
            self._drain()
            if not self.running:
                return Paused() if self._queue and not self.closed else None
        state = self.shell.kernel.run(max_steps)
        if isinstance(state, Done):
            self._ended(state)
            return Paused() if not self.closed else None
        if isinstance(state, Blocked) and self._queue:
            raw = self._raw_call()
            if raw is not None:
                raw.push_input(encode("".join(key.raw for key in self._queue)))
                self._queue.clear()
            elif state.reads_tty:
                self._drain(reading=True)
                return Paused()
        return state

    def recover(self, message: str) -> None:
        """The running line failed in a way that nobody foresaw: end it and say so."""
        self.shell.kernel.interrupt()
        self.shell.kernel.message = message
        self._ended(Done(1))

    def redraw(self) -> None:
        """Draw the line being typed on a screen that is new."""
        if not self.running and not self.closed:
            self._editor.begin(self._editor.prompt, self._editor.text, self._editor.cursor)
            self._write(_PASTE_ON)
            self._refresh()

    def notice(self, text: str) -> None:
        """Show a message of the host without disturbing the line being typed."""
        if self.running:
            self._show(text.encode() + b"\n")
            return
        editor = self._editor
        self._write(editor.finish() + text.replace("\n", "\r\n") + "\r\n")
        editor.begin(editor.prompt, editor.text, editor.cursor)
        self._refresh()

    def offer(self, request: Request, found: Offer) -> None:
        """The host's answer to a completion request; ignored if the line has changed since."""
        if self._completing is not request or self.running or self._editor.text != request.text:
            return
        self._completing = None
        if found.files and not found.names:
            found = paths(self.shell, request.prefix)
        self._completed(request, found)
        self._refresh()

    # --- output -----------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        if text:
            self._write_bytes(encode(text))

    def _show(self, data: bytes) -> None:
        if data:
            self._at_line_start = data.endswith(b"\n")
            self._write_bytes(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def _new_prompt(self) -> None:
        lead = "" if self._at_line_start else "\r\n"
        self._at_line_start = True
        self._lines, self._typed, self._waiting_for, self._recalled = [], 0, None, None
        self._editor.begin(self._prompt(self.shell))
        self._write(lead + _PASTE_ON + self._editor.flush())

    def _refresh(self) -> None:
        if not self.running and not self.closed:
            self._write(self._editor.flush())

    def _ended(self, done: Done) -> None:
        message = self.shell.kernel.message
        if message:
            if not self._at_line_start:
                self._show(b"\n")
            self._show(f"sh: {message}\n".encode())
        self.shell.process.status = done.status
        left = self._input.drain().decode("utf-8", "replace") + self._cooked
        self._cooked = ""
        if left:
            self._queue.extendleft(reversed(self._keys.feed(left)))
        if self.shell.exited is not None:
            self.closed = True
            return
        self._new_prompt()

    # --- input ------------------------------------------------------------------------------

    def _raw_call(self) -> ExecCall | None:
        for call in self.shell.kernel.calls:
            if isinstance(call, ExecCall) and call.request.tty and not call.resolved:
                return call
        return None

    def _drain(self, reading: bool = False) -> None:
        """Handle waiting keys: at the prompt, or while a program reads the terminal."""
        budget = KEYS_PER_SLICE
        while self._queue and not self.closed and budget > 0:
            budget -= _COSTS.get(self._queue[0].name, 1)
            if self.running:
                if not reading:
                    return
                if self._cook(self._queue.popleft()):
                    return
            else:
                self._edit(self._queue.popleft())
        self._refresh()

    def _cook(self, key: Key) -> bool:
        """A key while a program reads lines; true if the program got something."""
        if key.name == "enter":
            self._show(b"\n")
            self._input.push(encode(self._cooked + "\n"))
            self._cooked = ""
            return True
        if key.name == "eof":
            if self._cooked:
                self._input.push(encode(self._cooked))
            else:
                self._input.push_eof()
            self._cooked = ""
            return True
        if key.name in ("backspace", "kill-to-start"):
            gone = 1 if key.name == "backspace" else len(self._cooked)
            for char in reversed(self._cooked[len(self._cooked) - gone :] if gone else ""):
                self._write("\b \b" * char_width(char))
            self._cooked = self._cooked[: len(self._cooked) - gone]
        elif key.name in ("text", "tab", "paste"):
            lines = (key.text or "\t").replace("\r\n", "\n").replace("\r", "\n").split("\n")
            for index, line in enumerate(lines):
                self._cooked += "".join(char for char in line if char == "\t" or ord(char) >= 32)
                self._write(line)
                self._at_line_start = False
                if index < len(lines) - 1:
                    self._show(b"\n")
                    self._input.push(encode(self._cooked + "\n"))
                    self._cooked = ""
            return len(lines) > 1
        return False

    def _edit(self, key: Key) -> None:
        """A key at the prompt."""
        if key.name != "tab":
            self._completing = None
        if self._search is not None and self._searching(key):
            return
        action = _ACTIONS.get(key.name)
        if action is not None:
            action(self, key)

    def _text(self, key: Key) -> None:
        self._insert(key.text)

    def _insert(self, text: str) -> None:
        if not self._editor.insert(text):
            self.notice(f"\x07(a line may have at most {MAX_EDITED:,} characters: the rest was dropped)")

    def _paste(self, key: Key) -> None:
        """Lines of a paste are entered one by one; the last stays to be edited."""
        text = key.text.replace("\r\n", "\n").replace("\r", "\n")
        first, newline, rest = text.partition("\n")
        self._insert("".join(char for char in first if char == "\t" or ord(char) >= 32))
        if newline:
            if rest:
                self._queue.appendleft(Key("paste", rest, rest))
            self._queue.appendleft(_SUBMIT)

    def _enter(self, key: Key) -> None:
        editor = self._editor
        self._write(editor.finish())
        line = editor.text
        self._lines.append(line)
        self._typed += len(line) + 1
        if self._in_document(line):
            editor.begin(CONTINUATION)
            return
        text = "\n".join(self._lines)
        try:
            parse(text)
        except Incomplete as error:
            if self._typed < MAX_LINE and (error.delimiter or len(self._lines) < MAX_CONTINUED):
                self._waiting_for = error
                editor.begin(CONTINUATION)
                return
        except ParseError:
            pass
        self.shell.remember(text)
        if not text.strip():
            self._new_prompt()
            return
        self._write(_PASTE_OFF)
        self.shell.start(text + "\n", {0: self._input, 1: self._output, 2: self._output})

    def _in_document(self, line: str) -> bool:
        """Inside a here-document only its last line is worth parsing for."""
        waiting = self._waiting_for
        if waiting is None or waiting.delimiter is None:
            return False
        if self._typed >= MAX_LINE:
            return False
        return line.lstrip("\t") != waiting.delimiter

    def _interrupted(self, key: Key) -> None:
        self._editor.move(len(self._editor.text))
        self._write(self._editor.flush() + "^C" + self._editor.finish())
        self.shell.process.status = 130
        self._new_prompt()

    def _eof(self, key: Key) -> None:
        editor = self._editor
        if editor.text:
            editor.remove(editor.cursor, editor.cursor + 1)
        elif self._lines:
            self._write(editor.finish() + "sh: syntax error: unexpected end of file\r\n")
            self.shell.process.status = 2
            self._new_prompt()
        else:
            self._write(editor.flush() + "exit\r\n" + _PASTE_OFF)
            self.shell.exited = self.shell.process.status
            self.closed = True

    def _history(self, step: int) -> None:
        history = self.shell.history
        at = len(history) if self._recalled is None else self._recalled
        wanted = at + step
        if not 0 <= wanted <= len(history):
            return
        if self._recalled is None:
            self._draft = self._editor.text
        self._recalled = None if wanted == len(history) else wanted
        self._editor.set(self._draft if wanted == len(history) else history[wanted])

    # --- reverse search ---------------------------------------------------------------------

    def _begin_search(self, key: Key) -> None:
        self._search, self._search_at = "", len(self.shell.history)
        self._draft = self._editor.text
        self._show_search()

    def _show_search(self) -> None:
        self._editor.prompt = f"(reverse-i-search)`{self._search}': "

    def _find(self, start: int) -> None:
        for index in range(min(start, len(self.shell.history) - 1), -1, -1):
            if self._search and self._search in self.shell.history[index]:
                self._search_at = index
                self._editor.set(self.shell.history[index])
                break
        self._show_search()

    def _searching(self, key: Key) -> bool:
        """A key during Ctrl-R; false if it ends the search and is to be handled as usual."""
        assert self._search is not None
        if key.name == "text":
            self._search += key.text
            self._find(len(self.shell.history) - 1)
            return True
        if key.name == "backspace":
            self._search = self._search[:-1]
            self._find(len(self.shell.history) - 1)
            return True
        if key.name == "search":
            self._find(self._search_at - 1)
            return True
        self._search = None
        if key.name in ("cancel", "interrupt"):
            self._editor.set(self._draft)
        self._editor.prompt = CONTINUATION if self._lines else self._prompt(self.shell)
        return key.name in ("cancel", "interrupt", "escape")

    # --- completion -------------------------------------------------------------------------

    def _tab(self, key: Key) -> None:
        editor = self._editor
        request = analyse(editor.text, editor.cursor)
        words = external_words(self.shell, request)
        if words is not None and self._complete is not None:
            self._completing = request
            self._complete(request, words)
            return
        self._completed(request, offer(self.shell, request))

    def _completed(self, request: Request, found: Offer) -> None:
        changed = apply(request, found)
        if changed is not None:
            self._editor.set(*changed)
        elif not found.names:
            self._write("\x07")
        else:
            labels = [found.labels.get(name, name) for name in found.names]
            more = f"… and {len(labels) - MAX_SHOWN} more\n" if len(labels) > MAX_SHOWN else ""
            table = columns(labels[:MAX_SHOWN], self._editor.cols) + more
            editor = self._editor
            self._write(editor.finish() + table.replace("\n", "\r\n"))
            editor.begin(editor.prompt, editor.text, editor.cursor)


def _moves(where: Callable[[LineEditor], int]) -> Callable[[Terminal, Key], None]:
    return lambda terminal, key: terminal._editor.move(where(terminal._editor))


def _kills(
    span: Callable[[LineEditor], tuple[int, int]], keep: bool = True
) -> Callable[[Terminal, Key], None]:
    return lambda terminal, key: terminal._editor.remove(*span(terminal._editor), keep=keep)


_ACTIONS: dict[str, Callable[[Terminal, Key], object]] = {
    "text": Terminal._text,
    "paste": Terminal._paste,
    "enter": Terminal._enter,
    "tab": Terminal._tab,
    "interrupt": Terminal._interrupted,
    "eof": Terminal._eof,
    "search": Terminal._begin_search,
    "up": lambda terminal, key: terminal._history(-1),
    "down": lambda terminal, key: terminal._history(1),
    "left": _moves(lambda editor: editor.cursor - 1),
    "right": _moves(lambda editor: editor.cursor + 1),
    "home": _moves(lambda editor: 0),
    "end": _moves(lambda editor: len(editor.text)),
    "word-left": _moves(LineEditor.word_left),
    "word-right": _moves(LineEditor.word_right),
    "backspace": _kills(lambda editor: (editor.cursor - 1, editor.cursor), keep=False),
    "delete": _kills(lambda editor: (editor.cursor, editor.cursor + 1), keep=False),
    "kill-to-start": _kills(lambda editor: (0, editor.cursor)),
    "kill-to-end": _kills(lambda editor: (editor.cursor, len(editor.text))),
    "kill-word-left": _kills(lambda editor: (editor.blank_left(), editor.cursor)),
    "kill-word-right": _kills(lambda editor: (editor.cursor, editor.word_right())),
    "yank": lambda terminal, key: terminal._editor.insert(terminal._editor.killed),
    "transpose": lambda terminal, key: terminal._editor.transpose(),
    "clear": lambda terminal, key: terminal._write(terminal._editor.clear()),
}
