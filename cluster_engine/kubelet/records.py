"""All Pods' records by uid. What a fork holds too is copied when one side takes it to work with it."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_engine.kubelet.record import PodRecord


class Records:
    """The table. ``get`` and ``[]`` are for work, ``all`` is for looking."""

    def __init__(self) -> None:
        self._records: dict[str, PodRecord] = {}
        self._shared: set[str] = set()  # uids of those that a fork holds too; never iterated
        self._by_key: dict[str, tuple[str, ...]] = {}

    def get(self, uid: str) -> PodRecord | None:
        """The record, ours alone: it may be changed."""
        record = self._records.get(uid)
        if record is not None and uid in self._shared:
            self._shared.discard(uid)
            record = self._records[uid] = PodRecord.from_data(record.state_data())
        return record

    def __getitem__(self, uid: str) -> PodRecord:
        """As ``get``. Raises KeyError."""
        record = self.get(uid)
        if record is None:
            raise KeyError(uid)
        return record

    def look(self, uid: str) -> PodRecord:
        """A record to look at only. Raises KeyError."""
        return self._records[uid]

    def all(self) -> Iterable[PodRecord]:
        """All records, to look at: who wants to change one gets it by its uid."""
        return list(self._records.values())

    def of_key(self, key: str) -> tuple[str, ...]:
        """The uids of the Pods that have or had that key, oldest first."""
        return self._by_key.get(key, ())

    def add(self, record: PodRecord) -> None:
        self._records[record.uid] = record
        self._by_key[record.key] = (*self.of_key(record.key), record.uid)

    def remove(self, record: PodRecord) -> None:
        """Forgets a record; one that is not there is ignored."""
        if self._records.pop(record.uid, None) is None:
            return
        self._shared.discard(record.uid)
        left = tuple(uid for uid in self.of_key(record.key) if uid != record.uid)
        if left:
            self._by_key[record.key] = left
        else:
            del self._by_key[record.key]

    def clear(self) -> None:
        self._records.clear()
        self._shared.clear()
        self._by_key.clear()

    def share(self, other: Records) -> None:
        """Takes over the records of ``other``."""
        self._records, self._by_key = other._records.copy(), other._by_key.copy()
        self._shared, other._shared = set(self._records), set(self._records)
