"""Concurrent writers of one process share a transaction, its fsync and one checkpoint.

Whoever finds nobody writing writes for everybody who waits (the leader); who comes meanwhile waits for the next turn.
A transaction and a checkpoint cost the same for one event as for a hundred, so the more write at once, the larger the
groups become by themselves: nobody is ever made to wait for company.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent import consenting
from consent.errors import ConsentError, ConsentInputError, LedgerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.log import Log
    from consent.records import ConsentReceiptRef, ConsentRequest, TransitionRefused

LARGEST = consenting.BATCH


@dataclass
class _Waiting:
    """One caller's request, and what became of it."""

    request: ConsentRequest
    result: ConsentReceiptRef | TransitionRefused | None = None
    error: BaseException | None = None
    done: bool = False


@dataclass
class GroupCommit:
    """The queue of one log's writers.

    Contract:
        Durability: `record` returns when its event is committed and covered by a checkpoint outside the database.
        Isolation: a request that is wrong in itself (exit 2) fails alone; the others of its group are recorded.
        Errors: what fails for the group (locked, disk full, checkpoint not stored) is raised for every caller of it, as
            it would be for one alone: the event may be recorded all the same, and a retry with the same request id
            finds it.
        Order: in the order in which the callers came.

    Attributes:
        transactions: How many transactions were begun; for measurements.
    """

    transactions: int = 0
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _queue: list[_Waiting] = field(default_factory=list)
    _writing: bool = False

    def record(self, log: Log, request: ConsentRequest) -> ConsentReceiptRef | TransitionRefused:
        """Record one event, durably, together with whoever else is waiting.

        Args:
            log: The caller's open log; every caller's is of the same home, with the same clock.
            request: The event.

        Raises:
            ConsentError: As `consenting.record` and `Log.checkpoint`.
        """
        mine = _Waiting(request)
        with self._turn:
            self._queue.append(mine)
            while self._writing and not mine.done:
                self._turn.wait()
            if not mine.done:
                self._writing = True
                group, self._queue = self._queue[:LARGEST], self._queue[LARGEST:]
        if not mine.done:
            self._lead(log, group)
        if mine.error is not None:
            raise mine.error
        if mine.result is None:
            raise AssertionError("a group ended without an answer for one of its callers")
        return mine.result

    def _lead(self, log: Log, group: list[_Waiting]) -> None:
        try:
            self._write(log, group)
            # Also when nothing was written now: a retry must find its first result durable.
            log.checkpoint()
        except ConsentError as error:
            for each in group:
                # One's own copy: a traceback grows with every thread that raises.
                each.error = each.error or copy.copy(error)
        except BaseException:
            for each in group:
                each.error = each.error or LedgerUnavailableError(
                    "the write was interrupted; it may be recorded all the same",
                    "repeat the request with its request id",
                )
            raise
        finally:
            with self._turn:
                for each in group:
                    each.done = True
                self._writing = False
                self._turn.notify_all()

    def _write(self, log: Log, group: Sequence[_Waiting]) -> None:
        """One transaction; where a request is wrong in itself, both halves anew, until it stands alone."""
        self.transactions += 1
        try:
            results = consenting.record(log, [each.request for each in group])
        except ConsentInputError as error:
            if len(group) == 1:
                group[0].error = error
                return
            middle = len(group) // 2
            self._write(log, group[:middle])
            self._write(log, group[middle:])
            return
        for each, result in zip(group, results, strict=True):
            each.result = result
