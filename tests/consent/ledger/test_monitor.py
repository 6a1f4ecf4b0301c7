"""A published log is followed: what is read, what is proved when histories differ, and what is remembered."""

from __future__ import annotations

import json
import random
import shutil

import pytest
from cryptography.exceptions import InvalidSignature

from consent.errors import (
    ConsentEvidenceError,
    ConsentUnavailableError,
    MonitorStateError,
    PublishedLogError,
    PublishedLogUnavailableError,
)
from consent.published_log import FolderFiles
from consent.tlog.contradiction import Contradiction, RolledBack
from consent.tlog.monitor import Followed, follow
from consent.tlog.monitor_state import MonitorState
from tests.consent import second_verifier
from tests.consent.ledger_world import ORIGIN
from tests.consent.monitored import City, Counting, make_city, watcher
from tests.consent.published import needed

# A bit of the key's name may make the signature one of an unknown key; all else fails in its own way.
NOT_BELIEVED = (AssertionError, ValueError, InvalidSignature, KeyError, TypeError, AttributeError)


@pytest.fixture
def city(tmp_path) -> City:
    return make_city(tmp_path)


@pytest.fixture
def watch(city, tmp_path):
    return watcher(city, tmp_path)


def test_a_log_is_followed_and_only_what_is_new_is_read(city, watch):
    head = city.give(0, 150)
    city.publish()
    first = watch()
    assert (first.head.head, first.before, first.compared, first.waiting) == (head.head, None, 0, 0)
    city.give(150, 400)
    city.publish()
    files = Counting(FolderFiles(city.public))
    second = watch(files)
    assert second.before == head.size
    assert second.head.size > 512
    assert sum("entries" in name for name in files.names) == second.head.size // 256 - head.size // 256 + 1
    files = Counting(FolderFiles(city.public))
    assert watch(files).head == second.head
    assert files.names == ["checkpoint"]


def test_a_full_file_serves_where_a_partial_one_is_gone(city, watch):
    city.give(0, 20)
    city.publish()
    note = (city.public / "checkpoint").read_bytes()
    city.give(20, 300)
    city.publish()
    (city.public / "checkpoint").write_bytes(note)
    for partial in list(city.public.rglob("*.p")):
        shutil.rmtree(partial)
    assert isinstance(watch(), Followed)


@pytest.mark.parametrize(("kept", "served"), [(5, 30), (30, 30), (30, 5), (5, 300), (300, 5)])
def test_two_histories_are_proved_by_the_logs_own_signatures(city, watch, tmp_path, kept, served):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    city.give(3, kept)
    city.publish()
    assert isinstance(watch(), Followed)
    other.give(3, served)
    other.publish()
    found = watch(FolderFiles(other.public))
    assert isinstance(found, Contradiction)
    document = json.loads(found.text())
    second_verifier.contradiction(document, city.vkey)
    # What contradicts is not remembered: the log that was followed is followed on.
    assert isinstance(watch(), Followed)
    assert b"invented" not in found.text().encode()


def test_evidence_with_a_flipped_bit_or_of_heads_that_agree_proves_nothing(city, watch, tmp_path):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    early = city.give(3, 5)
    city.publish()
    watch()
    other.give(3, 30)
    other.publish()
    text = watch(FolderFiles(other.public)).text()
    second_verifier.contradiction(json.loads(text), city.vkey)
    chance = random.Random(5)  # noqa: S311 - which bit is no secret
    raw = text.encode()
    for _ in range(200):
        flipped = bytearray(raw)
        flipped[chance.randrange(len(raw))] ^= 1 << chance.randrange(7)
        try:
            same = json.loads(flipped) == json.loads(raw)
        except ValueError:
            continue
        if not same:
            with pytest.raises(NOT_BELIEVED):
                second_verifier.contradiction(json.loads(flipped), city.vkey)
    # An honest log's two heads, with the true proof between them.
    later = city.give(8, 40)
    city.publish()
    entries = second_verifier.published(city.public, city.vkey)
    honest = Contradiction(early, later, early.root, tuple(second_verifier.proof(early.size, entries)))
    with pytest.raises(AssertionError, match="agree"):
        second_verifier.contradiction(json.loads(honest.text()), city.vkey)


def test_a_receipt_of_another_history_is_proved_too_and_said_each_time(city, watch, tmp_path):
    city.give(0, 3)
    other = city.fork(tmp_path / "other")
    lie = other.give(3, 4)
    city.give(3, 30)
    city.publish()
    for seen in ([lie], []):
        found = watch(seen=seen)
        assert isinstance(found, Contradiction)
        assert found.older == lie
        second_verifier.contradiction(json.loads(found.text()), city.vkey)


def test_heads_seen_elsewhere_agree_or_wait_until_the_log_covers_them(city, watch):
    early = city.give(0, 3)
    city.give(3, 3)
    city.publish()
    late = city.give(6, 3)
    first = watch(seen=[early, late])
    assert (first.compared, first.waiting) == (1, 1)
    city.publish()
    second = watch()
    assert (second.compared, second.waiting) == (1, 0)
    assert (watch().compared, watch().waiting) == (0, 0)
    # Asked about again, a head that was compared still agrees.
    assert watch(seen=[early]).compared == 1


def test_a_waiting_head_of_another_history_is_found_when_the_log_covers_it(city, watch, tmp_path):
    city.give(0, 3)
    city.publish()
    other = city.fork(tmp_path / "other")
    lie = other.give(3, 2)
    assert watch(seen=[lie]).waiting == 1
    city.give(3, 20)
    city.publish()
    assert isinstance(watch(), Contradiction)


def test_a_log_that_shrank_is_told_and_both_heads_are_kept(city, watch):
    city.give(0, 3)
    city.publish()
    note = (city.public / "checkpoint").read_text()
    city.give(3, 3)
    city.publish()
    kept = watch().head
    (city.public / "checkpoint").write_text(note)
    found = watch()
    assert isinstance(found, RolledBack)
    document = json.loads(found.text())
    assert (document["kept"], document["served"]) == (kept.note, note)


def test_every_flipped_bit_of_a_published_file_is_refused_and_nothing_is_remembered(city, watch, tmp_path):
    city.give(0, 140)
    city.publish()
    chance = random.Random(7)  # noqa: S311 - which bit is no secret
    names = [city.public / name for name in needed(city.public)]
    for at, path in enumerate(names):
        whole = path.read_bytes()
        for turn in range(10):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            with pytest.raises(ConsentEvidenceError):
                watch(state=f"state-{at}-{turn}")
            assert not (tmp_path / f"state-{at}-{turn}" / "head.json").exists()
        path.write_bytes(whole)
        if path.name != "checkpoint":
            path.unlink()
            with pytest.raises(PublishedLogUnavailableError, match="lacks"):
                watch(state=f"state-{at}")
            path.write_bytes(whole)
    assert isinstance(watch(), Followed)


def test_a_changed_old_entry_is_noticed_when_its_bundle_is_read_again(city, watch):
    city.give(0, 10)
    city.publish()
    watch()
    city.give(10, 10)
    city.publish()
    [bundle] = (city.public / "tile/entries/000.p").glob(
        str(len(second_verifier.published(city.public, city.vkey)))
    )
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(PublishedLogError, match="are others now"):
        watch()


class _Stopping(MonitorState):
    """Stops at one write of the state: before it, or after it."""

    def __init__(self, *args, at: int, done: bool) -> None:
        super().__init__(*args)
        self.left = at
        self.done = done

    def write(self, name, text):
        self.left -= 1
        if not self.left and not self.done:
            raise OSError(28, "No space left on device")
        path = super().write(name, text)
        if not self.left:
            raise OSError(28, "No space left on device")
        return path


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_wherever_remembering_stops_the_next_call_goes_on(city, watch, tmp_path, at, done):
    city.give(0, 10)
    city.publish()
    watch()
    seen = city.give(10, 280)
    city.publish()
    memory = _Stopping(tmp_path / "state", ORIGIN, city.keys_at, at=at, done=done)
    with pytest.raises(ConsentUnavailableError, match="No space"), memory.locked():
        follow(FolderFiles(city.public), memory, ORIGIN, city.keys_at, [seen])
    found = watch(seen=[seen])
    assert (found.head.head, found.waiting) == (seen.head, 0)
    city.give(290, 10)
    city.publish()
    assert isinstance(watch(), Followed)


def test_a_damaged_state_is_not_believed(city, watch, tmp_path):
    city.give(0, 10)
    city.publish()
    watch()
    head = tmp_path / "state" / "head.json"
    whole = json.loads(head.read_text())
    origin, size, *rest = whole["note"].split("\n")
    larger = "\n".join([origin, str(int(size) + 1), *rest])
    for change in ({"levels": []}, {"note": larger}, {"levels": ["AAAA"]}):
        head.write_text(json.dumps({**whole, **change}))
        with pytest.raises(MonitorStateError):
            watch()
    head.write_text(json.dumps(whole))
    (tmp_path / "state" / "leaves").write_bytes(b"")
    with pytest.raises(MonitorStateError, match="fewer hashes"):
        watch()


def test_two_monitors_do_not_share_a_state(city, tmp_path):
    one, other = (MonitorState(tmp_path / "state", ORIGIN, city.keys_at) for _ in range(2))
    with one.locked(), pytest.raises(ConsentUnavailableError, match="another monitor"), other.locked():
        pass
