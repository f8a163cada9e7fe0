"""What ``etcdctl`` prints of an answer, in the form that was asked for.

Models etcdctl/ctlv3/command/printer{,_simple,_json,_fields,_table}.go; tables are olekukonko/tablewriter's.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

_JSON = dict[str, Any]
VERSION = "3.7.0"
_STATUS_TITLES = (
    "ENDPOINT", "ID", "VERSION", "STORAGE VERSION", "DB SIZE", "IN USE", "PERCENTAGE NOT IN USE", "QUOTA", "IS LEADER",
    "IS LEARNER", "RAFT TERM", "RAFT INDEX", "RAFT APPLIED INDEX", "ERRORS", "DOWNGRADE TARGET VERSION",
    "DOWNGRADE ENABLED",
)  # fmt: skip
_HEALTH_TITLES = ("ENDPOINT", "HEALTH", "TOOK", "ERROR")
_TOOK = "0s"
"""No virtual time passes."""
_UNITS = ("B", "kB", "MB", "GB")


def ranged(answer: _JSON, form: str, value_only: bool) -> str:
    """What ``get`` found."""
    if form == "json":
        told: _JSON = {"header": answer["header"]}
        if answer["kvs"]:
            told["kvs"] = [_pair(pair) for pair in answer["kvs"]]
        told |= {"more": True} if answer["more"] else {}
        return _dumped({**told, "count": answer["count"]} if answer["count"] else told)
    if form == "fields":
        lines = [*_header(answer["header"]), *(line for pair in answer["kvs"] for line in _fields(pair))]
        more = "true" if answer["more"] else "false"
        return _joined([*lines, f'"More" : {more}', f'"Count" : {answer["count"]}'])
    return _joined(line for pair in answer["kvs"] for line in _simple(pair, value_only))


def watched(answer: _JSON, form: str, with_previous: bool) -> str:
    """What a watch was told: each change with the revision that made it."""
    told = ""
    for kind, pair, known in answer["events"]:
        header = {**answer["header"], "revision": pair["mod"]}
        before = known if with_previous else None
        if form == "json":
            event: _JSON = {"type": 1} if kind == "DELETE" else {}
            event |= {"kv": _pair(pair)} | ({} if before is None else {"prev_kv": _pair(before)})
            rest = {"CompactRevision": 0, "Canceled": False, "Created": False}
            told += _dumped({"Header": header, "Events": [event], **rest})
        elif form == "fields":
            lines = [] if before is None else _fields(before, "Prev")
            told += _joined([*_header(header), f'"Type" : {kind}', *lines, *_fields(pair)])
        else:
            told += _joined([kind, *([] if before is None else _simple(before)), *_simple(pair)])
    return told


def status(answer: _JSON, endpoints: list[str], form: str) -> str:
    """How the member is, for each name under which it was asked."""
    header, size = answer["header"], answer["size"]
    index, leader = header["revision"], answer["leader"]
    if form == "json":
        told = {
            "header": header, "version": VERSION, "dbSize": size, "leader": leader, "raftIndex": index,
            "raftTerm": header["raft_term"], "raftAppliedIndex": index, "dbSizeInUse": size, "storageVersion": VERSION,
            "dbSizeQuota": answer["quota"], "downgradeInfo": {},
        }  # fmt: skip
        return _dumped([{"Endpoint": endpoint, "Status": told} for endpoint in endpoints])
    if form == "fields":
        lines = [
            *_header(header), f'"Version" : "{VERSION}"', f'"StorageVersion" : "{VERSION}"', f'"DBSize" : {size}',
            f'"DBSizeInUse" : {size}', f'"DBSizeQuota" : {answer["quota"]}', f'"Leader" : {leader}',
            '"IsLearner" : false', f'"RaftIndex" : {index}', f'"RaftTerm" : {header["raft_term"]}',
            f'"RaftAppliedIndex" : {index}', '"Errors" : []',
        ]  # fmt: skip
        return _joined(line for endpoint in endpoints for line in [*lines, f'"Endpoint" : "{endpoint}"', ""])
    rows: list[tuple[str, ...]] = [
        (
            endpoint, f"{header['member_id']:x}", VERSION, VERSION, humanized(size), humanized(size), "0%",
            humanized(answer["quota"]), str(leader == header["member_id"]).lower(), "false", str(header["raft_term"]),
            str(index), str(index), "", "", "false",
        )
        for endpoint in endpoints
    ]  # fmt: skip
    return _table(_STATUS_TITLES, rows) if form == "table" else _joined(", ".join(row) for row in rows)


def health(endpoints: list[str], form: str) -> str:
    """That the member answers, for each name under which it was asked."""
    if form == "json":
        return _dumped([{"endpoint": endpoint, "health": True, "took": _TOOK} for endpoint in endpoints])
    if form == "fields":
        lines = [
            (f'"Endpoint" : "{one}"', '"Health" : true', f'"Took" : {_TOOK}', '"Error" : ', "")
            for one in endpoints
        ]
        return _joined(line for group in lines for line in group)
    if form == "table":
        return _table(_HEALTH_TITLES, [(endpoint, "true", _TOOK, "") for endpoint in endpoints])
    told = "is healthy: successfully committed proposal: took ="
    return _joined(f"{endpoint} {told} {_TOOK}" for endpoint in endpoints)


def humanized(count: int) -> str:
    """Bytes as dustin/go-humanize writes them."""
    if count < 10:
        return f"{count} B"
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    tenths = (count * 10 + 1000**power // 2) // 1000**power
    return f"{round(tenths / 10) if tenths >= 100 else tenths / 10} {_UNITS[power]}"


def _joined(lines: Any) -> str:
    return "".join(f"{line}\n" for line in lines)


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _coded(text: str) -> str:
    return b64encode(text.encode("latin-1")).decode()


def _pair(pair: _JSON) -> _JSON:
    """Go leaves out what is nothing."""
    told = {
        "key": _coded(pair["key"]),
        "create_revision": pair["create"],
        "mod_revision": pair["mod"],
        "version": pair["version"],
        "value": _coded(pair["value"]),
    }
    return {name: value for name, value in told.items() if value}


def _simple(pair: _JSON, value_only: bool = False) -> list[str]:
    return [pair["value"]] if value_only else [pair["key"], pair["value"]]


def _header(header: _JSON) -> list[str]:
    return [
        f'"ClusterID" : {header["cluster_id"]}',
        f'"MemberID" : {header["member_id"]}',
        f'"Revision" : {header["revision"]}',
        f'"RaftTerm" : {header["raft_term"]}',
    ]


def _fields(pair: _JSON, before: str = "") -> list[str]:
    return [
        f'"{before}Key" : {_quoted(pair["key"])}',
        f'"{before}CreateRevision" : {pair["create"]}',
        f'"{before}ModRevision" : {pair["mod"]}',
        f'"{before}Version" : {pair["version"]}',
        f'"{before}Value" : {_quoted(pair["value"])}',
        f'"{before}Lease" : 0',
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Titles stand in the middle, cells to the right."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def line(cells: Any) -> str:
        return "|" + "|".join(f" {cell} " for cell in cells) + "|"

    head = line(_centred(title, width) for title, width in zip(titles, widths, strict=True))
    body = [line(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return _joined([rule, head, rule, *body, rule])


def _centred(text: str, width: int) -> str:
    left = (width - len(text)) // 2
    return " " * left + text + " " * (width - len(text) - left)
