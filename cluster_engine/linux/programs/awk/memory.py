"""What a running awk program remembers. Texts are characters inside, byte text outside."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.programs.awk.builtins import Array
from cluster_engine.linux.programs.awk.tokens import AwkError
from cluster_engine.linux.programs.awk.values import UNSET, Input, Value, restored, stored, to_number, to_text
from cluster_engine.linux.regex import PatternError, regex, spans
from cluster_engine.linux.text import characters, octets

MAX_ENTRIES = 100_000
"""Elements of all arrays."""
MAX_TEXT = 1 << 20
"""Characters of one value."""
MAX_FIELD = 10_000


class Memory:
    """What a running program remembers: variables, arrays, the record and its fields."""

    def __init__(self, rules: int) -> None:
        """``rules``: how many the program has; each may be a range."""
        self.names: dict[str, Value] = {
            "FS": " ",
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "FNR": 0.0,
            "SUBSEP": "\x1c",
            "CONVFMT": "%.6g",
            "OFMT": "%.6g",
            "FILENAME": "",
            "RSTART": 0.0,
            "RLENGTH": -1.0,
        }
        self.arrays: dict[str, Array] = {}
        self.frames: list[dict[str, Value | Array]] = []
        self.record = ""
        self.fields: list[Value] = []
        self.split = True
        """Whether `fields` belong to `record`."""
        self.ranges: list[bool] = [False] * rules
        self.written: list[str] = []
        """Files that `print >` has begun."""
        self.drawn = 0
        self.seed = 0.0

    # ---- state -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything as JSON without floats, in byte text."""
        return {
            "names": {name: octets(stored(value)) for name, value in self.names.items()},
            "arrays": {name: _stored_array(array) for name, array in self.arrays.items()},
            "record": octets(self.record), "ranges": list(self.ranges), "written": list(self.written),
            "drawn": self.drawn,
            "seed": stored(self.seed),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        self.names = {name: restored(characters(text)) for name, text in state["names"].items()}
        self.arrays = {
            name: {characters(key): restored(characters(text)) for key, text in array.items()}
            for name, array in state["arrays"].items()
        }
        self.set_record(characters(state["record"]))
        self.ranges, self.written, self.drawn = list(state["ranges"]), list(state["written"]), state["drawn"]
        self.seed = to_number(restored(state["seed"]))

    # ---- records and fields ------------------------------------------------------------------

    def set_record(self, text: str) -> None:
        self.record = text
        self.split = False

    def _split_fields(self) -> None:
        if not self.split:
            self.fields = [Input(piece) for piece in self.pieces(self.record, to_text(self.names["FS"]))]
            self.split = True

    def pieces(self, text: str, separator: str) -> list[str]:
        if separator == " ":
            return text.split()
        if text == "":
            return []
        if separator == "":
            return list(text)
        if len(separator) == 1:
            return text.split(separator)
        pieces, at = [], 0
        for match in spans(self.regex(separator), text):
            start, end = match.span()
            if end == start:
                continue
            pieces.append(text[at:start])
            at = end
        return [*pieces, text[at:]]

    def regex(self, pattern: str) -> Any:
        try:
            return regex(pattern, extended=True)
        except PatternError as error:
            raise AwkError(f"regular expression compile failed: {error}") from None

    def field(self, number: int) -> Value:
        if number == 0:
            return Input(self.record)
        self._split_fields()
        if number < 0:
            raise AwkError(f"attempt to access field {number}")
        return self.fields[number - 1] if number <= len(self.fields) else UNSET

    def set_field(self, number: int, value: Value) -> None:
        if number == 0:
            self.set_record(to_text(value))
            return
        self._split_fields()
        if not 0 < number <= MAX_FIELD:
            raise AwkError(f"attempt to access field {number}")
        while len(self.fields) < number:
            self.fields.append(Input(""))
        self.fields[number - 1] = Input(value) if isinstance(value, str) else value
        self._join()

    def _join(self) -> None:
        form = to_text(self.names["CONVFMT"])
        self.record = to_text(self.names["OFS"]).join(to_text(each, form) for each in self.fields)

    # ---- variables ---------------------------------------------------------------------------

    def get(self, name: str) -> Value:
        if self.frames and name in self.frames[-1]:
            value = self.frames[-1][name]
            if isinstance(value, dict):
                raise AwkError(f"can't read value of {name}; it's an array name.")
            return value
        if name == "NF":
            self._split_fields()
            return float(len(self.fields))
        if name in self.arrays and name not in self.names:
            raise AwkError(f"can't read value of {name}; it's an array name.")
        return self.names.get(name, UNSET)

    def set(self, name: str, value: Value) -> None:
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise AwkError("a value of more than 1 MiB is not held here")
        if self.frames and name in self.frames[-1]:
            self.frames[-1][name] = value
            return
        if name == "NF":
            self._split_fields()
            count = min(max(int(to_number(value)), 0), MAX_FIELD)
            self.fields = [*self.fields[:count], *([Input("")] * (count - len(self.fields)))]
            self._join()
            return
        self.names[name] = value

    def array(self, name: str) -> Array:
        if self.frames and name in self.frames[-1]:
            local = self.frames[-1][name]
            if not isinstance(local, dict):
                if local != "":
                    raise AwkError(f"can't use scalar {name} as array")
                local = self.frames[-1][name] = {}
            return local
        return self.arrays.setdefault(name, {})

    def store(self, array: Array, key: str, value: Value) -> None:
        if key not in array and sum(map(len, self.arrays.values())) + len(array) > MAX_ENTRIES:
            raise AwkError(f"more than {MAX_ENTRIES:,} elements are not held here")
        array[key] = value


def _stored_array(array: Array) -> dict[str, str]:
    return {octets(key): octets(stored(value)) for key, value in array.items()}
