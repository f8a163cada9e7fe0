"""Log lines that say which request they belong to, for people (`line`) or machines (`json`)."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

#: The id of the request, socket or task at hand; it also goes out as `X-Request-ID`.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

EXTRA_FIELDS = (
    "run",
    "user",
    "status",
    "duration_ms",
    "method",
    "path",
    "host",
    "epoch",
    "task",
    "component",
    "key",
)


class RequestIdFilter(logging.Filter):
    """Stamps each record with the request id."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        record.request_id = request_id.get()
        return True


class BriefRefusals(logging.Filter):
    """A request that was refused (4xx) is one line: there is nothing wrong with the code that a traceback shows."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record; what a stranger can cause at will is no error of ours."""
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
            record.levelno = min(record.levelno, logging.WARNING)
            record.levelname = logging.getLevelName(record.levelno)
        return True


class RefusedHandshakes(logging.Filter):
    """uvicorn takes an upgrade that was answered with a status of its own for one that was not answered at all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drops that one line."""
        return record.msg != "ASGI callable returned without completing handshake."


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in EXTRA_FIELDS if hasattr(record, name)}


class LineFormatter(logging.Formatter):
    """`12:00:00 INFO runs [id] message run=…`."""

    def format(self, record: logging.LogRecord) -> str:
        """One readable line."""
        when = datetime.fromtimestamp(record.created, tz=UTC).strftime("%H:%M:%S")
        ident = getattr(record, "request_id", "-")
        extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
        text = f"{when} {record.levelname} {record.name} [{ident}] {record.getMessage()}{extras}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        data: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
            **{name: str(value) for name, value in _extras(record).items()},
        }
        if record.exc_info:
            data["exception"] = self.formatException(record.exc_info)
        return json.dumps(data, ensure_ascii=False)
