"""A witness cosigns what continues, and nothing else (C2SP tlog-witness, tlog-cosignature)."""

from __future__ import annotations

import contextlib
import http.client
import sqlite3
import stat
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cli
from consent.errors import ConsentUnavailableError, KeyFileError, NoteError
from consent.tlog import merkle
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.cosignature import WitnessKey, cosign, cosignatures_in, cosigned, with_cosignatures
from consent.tlog.note import Note, NoteSignature, VerifierKey
from consent.tlog.witness import MAX_REQUEST_BYTES, AddCheckpoint, WitnessState
from consent.witness_command import _logs
from consent.witness_server import WitnessServer
from tests.consent.vector_log import ORIGIN, MemoryLog, signing_key

LOG = signing_key(ORIGIN, "log")
KEY = signing_key("ombudsman.example/witness", "witness 1")
PUBLIC = WitnessKey.of(KEY)
NOW = 1_800_000_000
LOGS = _logs([LOG.verifier.vkey], None, None)()


def grown(size: int, fork: int | None = None) -> MemoryLog:
    log = MemoryLog()
    for index in range(size):
        log.append(b"%d%s" % (index, b"'" if fork is not None and index >= fork else b""))
    return log


def request(
    old: int, size: int, *, fork: int | None = None, key=LOG, proof: list[bytes] | None = None
) -> AddCheckpoint:
    log = grown(size, fork)
    note = sign_checkpoint(TreeHead(key.name, size, log.edge.root()), key).note
    if proof is None:
        proof = merkle.consistency_proof(log, old, size) if 0 < old <= size else []
    return AddCheckpoint(old, tuple(proof), Note.parse(note.encode()))


@pytest.fixture
def memory(tmp_path) -> WitnessState:
    return WitnessState.create(tmp_path / "witness.db", KEY.name)


def add(memory: WitnessState, asked: AddCheckpoint):
    return memory.add(asked.encode(), LOGS, KEY, lambda: NOW)


def test_the_example_of_the_specification_has_its_message_and_lengths():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    line = cosign(text, KEY, 1679315147)
    assert len(line.signature) == 72
    assert line.signature[:8] == (1679315147).to_bytes(8, "big")
    message = b"cosignature/v1\ntime 1679315147\n" + text.encode()
    assert KEY.verifier.verifies(line.signature[8:], message)
    assert PUBLIC.cosigned_at(line.signature, text) == 1679315147
    for wrong in (line.signature[:-1], line.signature[:7] + b"\x00" + line.signature[8:], b""):
        assert PUBLIC.cosigned_at(wrong, text) is None


def test_a_witness_key_has_one_spelling_and_its_own_type():
    assert WitnessKey.parse(PUBLIC.vkey) == PUBLIC
    assert PUBLIC.key_id != KEY.verifier.key_id
    with pytest.raises(KeyFileError, match="type 0x04"):
        WitnessKey.parse(KEY.verifier.vkey)
    with pytest.raises(KeyFileError):
        VerifierKey.parse(PUBLIC.vkey)
    with pytest.raises(KeyFileError, match="id does not belong"):
        WitnessKey.parse(PUBLIC.vkey.replace("ombudsman", "newspaper"))


def test_a_log_is_followed_from_nothing(memory):
    for old, size in ((0, 3), (3, 8), (8, 8), (8, 300)):
        asked = request(old, size)
        answer = add(memory, asked)
        assert answer.status == 200
        note = with_cosignatures(asked.note, cosignatures_in(answer.body.encode(), asked.note, [PUBLIC]))
        assert cosigned(note, [PUBLIC]) == {PUBLIC: NOW}
        assert note.signed_by([LOG.verifier]) == (LOG.verifier,)
        assert memory.head(ORIGIN).size == size


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(0, 4), 409),
        (request(4, 9), 409),
        (request(9, 10), 409),
        (request(5, 4), 400),
        (request(5, 5, fork=2), 409),
        (request(5, 9, fork=2), 422),
        (request(5, 9, proof=[]), 422),
        (request(5, 9, proof=[b"a" * 32]), 422),
        (request(5, 9, proof=[b"short"]), 422),
        (request(5, 5, proof=[b"a" * 32]), 422),
        (request(5, 9, key=signing_key("other.example/log", "log")), 404),
        (request(5, 9, key=signing_key(ORIGIN, "thief")), 403),
    ],
)
def test_what_does_not_continue_gets_its_status_and_changes_nothing(memory, asked, status):
    assert add(memory, request(0, 5)).status == 200
    answer = add(memory, asked)
    assert answer.status == status
    assert "\u2014" not in answer.body
    assert memory.head(ORIGIN).size == 5
    if status == 409:
        assert (answer.body, answer.content_type) == ("5\n", "text/x.tlog.size")
    assert add(memory, request(5, 6)).status == 200


def test_the_proof_from_nothing_is_empty(memory):
    assert add(memory, request(0, 5, proof=[b"a" * 32])).status == 422
    assert add(memory, request(0, 5)).status == 200


def test_a_fork_that_the_log_signed_is_kept_as_evidence(memory):
    add(memory, request(0, 5))
    forks = [request(5, 5, fork=2), request(5, 9, fork=2)]
    for fork in [*forks, *forks]:
        add(memory, fork)
    add(memory, request(4, 9))
    assert memory.conflicts() == [fork.encode() for fork in forks]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 01\n\n" + request(0, 3).note.encode(),
        b"old -1\n\n" + request(0, 3).note.encode(),
        b"new 0\n\n" + request(0, 3).note.encode(),
        b"old 0\nnot base64\n\n" + request(0, 3).note.encode(),
        b"old 0\n\xff\n\n" + request(0, 3).note.encode(),
        b"old 0\n" + b"YWFh\n" * 64 + b"\n" + request(0, 3).note.encode(),
        b"old 0\n\nno checkpoint\n",
        b"old 0\n\n" + request(0, 3).note.encode()[:-1],
        b"old 0\n\n" + b"a" * MAX_REQUEST_BYTES,
    ],
)
def test_malformed_requests_are_400(memory, body):
    assert memory.add(body, LOGS, KEY, lambda: NOW).status == 400


@given(st.binary(max_size=300))
def test_no_body_breaks_the_parser_and_what_parses_round_trips(body):
    with contextlib.suppress(NoteError):
        assert AddCheckpoint.parse(body).encode() == body


def test_of_requests_that_race_from_one_old_size_one_wins(memory):
    add(memory, request(0, 5))
    asked = [request(5, size) for size in range(6, 14)]
    answers: list[int] = []
    barrier = threading.Barrier(len(asked))

    def send(each: AddCheckpoint) -> None:
        barrier.wait()
        answers.append(add(memory, each).status)

    threads = [threading.Thread(target=send, args=[each]) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


class Failing(WitnessState):
    """A memory that fails at the commit, before it or after."""

    written = False

    def _commit(self, connection):
        if self.written:
            super()._commit(connection)
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("written", [False, True])
def test_a_memory_that_fails_signs_nothing_and_the_next_request_repairs(memory, tmp_path, written):
    failing = Failing(tmp_path / "witness.db")
    failing.written = written
    with pytest.raises(ConsentUnavailableError, match="cannot be read or written"):
        add(failing, request(0, 5))
    known = memory.head(ORIGIN).size
    assert known == (5 if written else 0)
    assert add(memory, request(known, 5)).status == 200


def test_a_witness_that_forgot_does_not_go_on(tmp_path, memory):
    with pytest.raises(ConsentUnavailableError, match="cannot be made"):
        WitnessState.create(tmp_path / "witness.db", KEY.name)
    (tmp_path / "witness.db").unlink()
    with pytest.raises(ConsentUnavailableError, match="is not there"):
        WitnessState(tmp_path / "witness.db")


def test_a_cosignature_that_does_not_verify_is_told_and_unknown_lines_are_ignored():
    asked = request(0, 3)
    good = cosign(asked.note.text, KEY, NOW)
    # An ML-DSA-44 line (type 0x06, 8 + 2,420 bytes) of a key that nobody here knows.
    later = NoteSignature("later.example/log", b"\x01\x02\x03\x04", b"\x06" * 2428)
    note = with_cosignatures(asked.note, [good, later, good])
    assert len(note.signatures) == 3
    assert cosigned(Note.parse(note.encode()), [PUBLIC]) == {PUBLIC: NOW}
    assert note.signed_by([LOG.verifier]) == (LOG.verifier,)
    forged = with_cosignatures(asked.note, [replace(good, signature=good.signature[:-1] + b"x")])
    with pytest.raises(NoteError, match="does not belong"):
        cosigned(forged, [PUBLIC])


@pytest.fixture
def served(memory):
    with WitnessServer(("127.0.0.1", 0), lambda body: memory.add(body, LOGS, KEY, lambda: NOW)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_server_answers_on_one_address_within_limits_and_lists_no_requests(served, capsys):
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    for old, size, status in ((0, 3, 200), (0, 3, 409), (3, 7, 200)):  # one connection: keep-alive
        connection.request("POST", "/add-checkpoint", request(old, size).encode())
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == status
        if status == 409:
            assert (body, answer.headers["Content-Type"]) == (b"3\n", "text/x.tlog.size")
    for method, path, body, status in (
        ("GET", "/add-checkpoint", None, 405),
        ("POST", "/other", b"x", 404),
        ("POST", "/add-checkpoint", b"a" * (MAX_REQUEST_BYTES + 1), 413),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
        with contextlib.suppress(BrokenPipeError):
            connection.request(method, path, body)
        assert connection.getresponse().status == status
    assert capsys.readouterr().err == ""


def test_init_makes_a_private_key_once(tmp_path, capsys):
    arguments = ["ledger", "witness", "--state", str(tmp_path / "w"), "--init", "--name", KEY.name]
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert not ended.value.code
    assert WitnessKey.parse(capsys.readouterr().out.strip()).name == KEY.name
    assert stat.S_IMODE((tmp_path / "w" / "witness.pem").stat().st_mode) == 0o600
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    with pytest.raises(SystemExit) as ended:
        cli.main(["ledger", "witness", "--state", str(tmp_path / "w")])
    assert ended.value.code == 2
    assert "no log to witness" in capsys.readouterr().err
