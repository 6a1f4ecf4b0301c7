"""What a signer signs and what it refuses, without a process around it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import CheckpointConflictError, NoteError
from consent.tlog.checkpoint import TreeHead, open_checkpoint
from consent.tlog.external import Disk, FileCheckpointStore
from consent.tlog.merkle import EMPTY_ROOT, consistency_proof, leaf_hash
from consent.tlog.note import b64, b64_decode
from consent.tlog.signer import (
    MAX_REQUEST_BYTES,
    PROTOCOL,
    STATEMENT_START,
    OtherSize,
    Refused,
    SignCheckpoint,
    Signer,
    decide,
)
from tests.consent.test_external import FailingDisk
from tests.consent.vector_log import MemoryLog, signing_key

ORIGIN = "city.example/consent"
KEY = signing_key(ORIGIN, "log")


def log_of(size: int, salt: str = "") -> MemoryLog:
    log = MemoryLog()
    log.append_leaves([leaf_hash(f"{salt}{i}".encode()) for i in range(size)])
    return log


def head_of(log: MemoryLog) -> TreeHead:
    return TreeHead(ORIGIN, log.edge.size, log.edge.root())


def asked(old: int, log: MemoryLog, proof: list[bytes] | None = None) -> bytes:
    head = head_of(log)
    if proof is None:
        proof = consistency_proof(log, old, head.size) if 0 < old < head.size else []
    return f"{PROTOCOL} checkpoint\n{SignCheckpoint(old, tuple(proof), head).text()}".encode()


@pytest.fixture
def signer(tmp_path) -> Signer:
    store = FileCheckpointStore(tmp_path / "last")
    Signer.prepare(KEY, store)
    return Signer(KEY, store)


def signed(answer: str, log: MemoryLog) -> str:
    """The signature line, after it was verified over the log's head."""
    assert answer.startswith("signed\n"), answer
    note = f"{head_of(log).text()}\n{answer.removeprefix('signed' + chr(10))}"
    assert open_checkpoint(note.encode(), ORIGIN, lambda _: [KEY.verifier]).head == head_of(log)
    return answer


def test_each_head_is_signed_that_continues_the_last_one(signer):
    for old, size in ((0, 1), (1, 5), (5, 300), (300, 301)):
        signed(signer.answer(asked(old, log_of(size))), log_of(size))
        assert signer.last() == head_of(log_of(size))


def test_the_same_head_again_gets_the_same_signature_whatever_old_size_is_named(signer):
    log = log_of(7)
    first = signed(signer.answer(asked(0, log)), log)
    assert {signer.answer(asked(old, log, [])) for old in (0, 3, 7, 9)} == {first}


def test_what_does_not_continue_the_last_head_is_refused_and_not_remembered(signer):
    signed(signer.answer(asked(0, log_of(10))), log_of(10))
    proof = consistency_proof(log_of(12), 10, 12)
    refused = {
        asked(10, log_of(10, "other")): "refused other-root\n",
        asked(10, log_of(9)): "other-size 10\n",
        asked(0, log_of(9)): "other-size 10\n",
        asked(9, log_of(12)): "other-size 10\n",
        asked(0, log_of(12)): "other-size 10\n",
        asked(10, log_of(12), []): "refused wrong-proof\n",
        asked(10, log_of(12), proof[:-1]): "refused wrong-proof\n",
        asked(10, log_of(12), [*proof, proof[0]]): "refused wrong-proof\n",
        asked(10, log_of(12), [bytes(32), *proof[1:]]): "refused wrong-proof\n",
        asked(10, log_of(12, "other")): "refused wrong-proof\n",
        asked(10, log_of(12)).replace(ORIGIN.encode(), b"other.example/log"): "refused other-log\n",
    }
    before = signer.store.read()
    for request, answer in refused.items():
        assert signer.answer(request).startswith(answer)
    assert signer.store.read() == before
    signed(signer.answer(asked(10, log_of(12))), log_of(12))


def test_a_proof_from_size_0_must_be_empty(signer):
    assert signer.answer(asked(0, log_of(3), [bytes(32)])).startswith("refused wrong-proof\n")


def test_malformed_and_too_long_requests_are_refused(signer):
    good = asked(0, log_of(3))
    bad = [
        b"",
        b"\xff\xfe",
        b"GET / HTTP/1.1\r\n\r\n",
        good.replace(b"v1", b"v2"),
        good.replace(b"old 0", b"old 00"),
        good.replace(b"old 0", b"old -1"),
        good.replace(b"\n\n", b"\n"),
        good + b"\n",
        good[:-1],
        good.replace(b"\n3\n", b"\n0\n"),
        good.replace(b"\n3\n", b"\n9007199254740992\n"),
        good.replace(b"\n\n", b"\n" + (b64(bytes(32)).encode() + b"\n") * 64 + b"\n"),
        good.replace(b"\n\n", b"\nAAAA\n\n"),
        good + b" " * MAX_REQUEST_BYTES,
        f"{PROTOCOL} last".encode(),
        f"{PROTOCOL} last\nmore".encode(),
    ]
    assert [text for text in bad if not signer.answer(text).startswith("refused ")] == []
    assert signer.last().size == 0


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer_of_the_protocol(tmp_path_factory, request_bytes):
    store = FileCheckpointStore(tmp_path_factory.mktemp("signer") / "last")
    Signer.prepare(KEY, store)
    assert Signer(KEY, store).answer(request_bytes).startswith("refused ")


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_request_reads_as_it_was_written_and_is_signed_only_from_the_size_signed_last(known, old, size):
    log = log_of(size)
    proof = tuple(consistency_proof(log, old, size)) if 0 < old < size else ()
    request = SignCheckpoint(old, proof, head_of(log))
    assert SignCheckpoint.parse(request.text()) == request
    decided = decide(head_of(log_of(known)), request)
    assert (decided is None) == (size == known or (size > known == old))
    if decided is not None:
        assert decided == OtherSize(known)
    forked = SignCheckpoint(old, proof, head_of(log_of(size, "other")))
    if known and size:
        assert isinstance(decide(head_of(log_of(known)), forked), Refused | OtherSize)


@pytest.mark.parametrize("step", ["write", "rename", "sync_folder"])
@pytest.mark.parametrize("done", [False, True])
def test_a_disk_that_fails_lets_no_signature_out_and_the_retry_gets_it(tmp_path, step, done):
    Signer.prepare(KEY, FileCheckpointStore(tmp_path / "last"))
    signer = Signer(KEY, FileCheckpointStore(tmp_path / "last", FailingDisk(step, done=done)))
    log = log_of(5)
    assert signer.answer(asked(0, log)).startswith("failed\n")
    assert "signed" not in signer.answer(b"")
    kept = FileCheckpointStore(tmp_path / "last").read()
    answer = signed(signer.answer(asked(0, log)), log)
    assert FileCheckpointStore(tmp_path / "last").read().endswith(answer.removeprefix("signed\n").encode())
    if step != "write" and done:
        # It was written: another head of the same size is refused already before the retry.
        assert open_checkpoint(kept, ORIGIN, lambda _: [KEY.verifier]).size == 5


def test_a_signature_that_may_not_be_durable_is_made_durable_before_it_leaves(tmp_path):
    class Counting(FailingDisk):
        syncs = 0

        def sync_folder(self, folder):
            super().sync_folder(folder)
            self.syncs += 1

    Signer.prepare(KEY, FileCheckpointStore(tmp_path / "last"))
    disk = Counting("sync_folder", done=False)
    signer = Signer(KEY, FileCheckpointStore(tmp_path / "last", disk))
    assert signer.answer(asked(0, log_of(5))).startswith("failed\n")
    signed(signer.answer(asked(0, log_of(5))), log_of(5))
    assert disk.syncs == 1


def test_a_signer_killed_before_its_memory_was_durable_makes_it_so_before_the_next_one_answers(tmp_path):
    class Killed(Disk):
        def sync_folder(self, folder):  # noqa: ARG002
            raise KeyboardInterrupt

    class Counting(Disk):
        syncs = 0

        def sync_folder(self, folder):
            super().sync_folder(folder)
            self.syncs += 1

    Signer.prepare(KEY, FileCheckpointStore(tmp_path / "last"))
    with pytest.raises(KeyboardInterrupt):
        Signer(KEY, FileCheckpointStore(tmp_path / "last", Killed())).answer(asked(0, log_of(5)))
    disk = Counting()
    signer = Signer(KEY, FileCheckpointStore(tmp_path / "last", disk))
    for _ in range(2):
        signed(signer.answer(asked(0, log_of(5))), log_of(5))
        assert disk.syncs == 1


def test_a_memory_that_is_gone_or_of_another_key_signs_nothing(tmp_path):
    store = FileCheckpointStore(tmp_path / "last")
    assert (
        Signer(KEY, store).answer(asked(0, log_of(3))).startswith("failed\nthe signer's memory is not there")
    )
    Signer.prepare(signing_key(ORIGIN, "log 2"), store)
    assert (
        Signer(KEY, store).answer(asked(0, log_of(3))).startswith("failed\nthe signer's memory is not signed")
    )
    with pytest.raises(CheckpointConflictError):
        Signer.prepare(KEY, store)


def test_a_signer_made_for_a_head_signs_only_what_continues_it(tmp_path):
    store = FileCheckpointStore(tmp_path / "last")
    Signer.prepare(KEY, store, head_of(log_of(10)))
    signer = Signer(KEY, store)
    assert signer.answer(asked(0, log_of(12, "other"))) == "other-size 10\n"
    assert signer.answer(asked(10, log_of(12, "other"))).startswith("refused wrong-proof\n")
    signed(signer.answer(asked(10, log_of(12))), log_of(12))
    with pytest.raises(NoteError):
        Signer.prepare(KEY, FileCheckpointStore(tmp_path / "b"), TreeHead("other.example/log", 0, EMPTY_ROOT))


def test_of_two_forks_asked_for_at_once_one_is_signed(signer):
    signed(signer.answer(asked(0, log_of(10))), log_of(10))
    start = threading.Barrier(8)

    def ask(i: int) -> str:
        log = log_of(10)
        log.append_leaves([leaf_hash(f"fork {i}".encode())])
        start.wait(10)
        return signer.answer(asked(10, log))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert sum(answer.startswith("signed\n") for answer in answers) == 1
    assert sum(answer.startswith("refused other-root\n") for answer in answers) == 7


def test_statements_are_signed_only_where_asked_for_and_a_checkpoint_is_none(signer, tmp_path):
    def statement(message: bytes) -> bytes:
        return f"{PROTOCOL} statement\n{b64(message)}\n".encode()

    message = STATEMENT_START + b"2 {}"
    assert signer.answer(statement(message)).startswith("refused no-statements\n")
    both = Signer(KEY, signer.store, statements=True)
    answer = both.answer(statement(message))
    assert KEY.verifier.verifies(b64_decode(answer.split("\n")[1]), message)
    for other in (
        head_of(log_of(3)).text().encode(),
        b"luvalla/trust-root/v1\x00{}",
        b"",
        b"DSSEv1 4 text 2 {}",
    ):
        assert both.answer(statement(other)).startswith("refused not-a-statement\n")
    assert both.answer(f"{PROTOCOL} statement\n====\n".encode()).startswith("refused malformed\n")
