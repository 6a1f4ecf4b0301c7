"""Where a log cannot go on, a new one names it in its first entry and in its trust root, and everybody can check that."""

from __future__ import annotations

import pytest

from consent.canonical import decode
from consent.errors import BadRequestError, CheckpointStoreError, NoteError, TrustRootError
from consent.home import open_home
from consent.publication import publish_log
from consent.setup import create
from consent.succession import read_succession
from consent.tlog.checkpoint import TreeHead, sign_checkpoint
from consent.tlog.cosignature import WitnessKey
from consent.tlog.merkle import EMPTY_ROOT
from consent.tlog.note import load_key
from consent.tlog.verify import VerificationError, verify_published, verify_succession
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, make_world, open_trust, purposes_text
from tests.consent.vector_log import signing_key

NEXT = "city.example/consent-2"
WHY = "entries were lost in a restore, and not published"


@pytest.fixture
def older(tmp_path) -> World:
    """The log that cannot go on; of this one SQLite's file is enough."""
    world = make_world(tmp_path / "older")
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, G)
    return world


@pytest.fixture
def newer(tmp_path, older, database) -> World:
    succession = read_succession(older.home.trust_root, older.home.checkpoint, WHY)
    folder = tmp_path / "newer"
    create(
        folder,
        origin=NEXT,
        purposes=purposes_text(),
        clock=older.clock,
        database=database,
        succeeds=succession,
    )
    return World(open_home(folder), older.clock)


def test_the_first_entry_names_the_old_log_and_anybody_can_check_it(older, newer, tmp_path):
    with older.open() as ledger:
        size = ledger.head().size
    with newer.open() as ledger:
        assert ledger.check() == []
        assert [each.index for each in ledger.institutional("succession")] == [0]
        body = ledger.institutional("succession")[0].body
        assert (body["origin"], body["size"], body["reason"]) == (ORIGIN, size, WHY)
        assert body["trust_root"] == open_trust(older.home)
        # No consent of the old log counts here.
        assert ledger.number_of("a") is None
        ledger.record_consent("a", OFFER, G)
        receipt = ledger.consent_receipt("a", OFFER)
        publish_log(ledger.log, newer.home, tmp_path / "public", dry_run=False)
    newer.verify(receipt)
    found = _verified(tmp_path / "public", newer)
    assert found.succeeds == ORIGIN
    assert any(ORIGIN in sentence for sentence in found.proved)
    # Anybody can name another's log: only that log's own trust root tells.
    assert any(ORIGIN in sentence and "verify_succession" in sentence for sentence in found.not_proved)
    entry = (tmp_path / "public" / "tile" / "entries").rglob("*")
    first = next(path for path in entry if path.is_file()).read_bytes()
    entry = first[2 : 2 + int.from_bytes(first[:2], "big")]
    assert verify_succession(entry, older.home.trust_root.read_bytes()) == body
    with pytest.raises(VerificationError):
        verify_succession(entry, newer.home.trust_root.read_bytes())


def test_the_trust_root_goes_on_in_its_format_and_names_the_same_log(newer):
    trust = TrustRoot.load(newer.home.trust_root, open_trust(newer.home))
    root = load_key(newer.home.root_key, f"{NEXT}/root")
    key = WitnessKey.of(signing_key("ombudsman.example/witness", "witness 1"))
    after = trust.with_witnesses(WitnessRule((key,), 1, 10), [root]).with_quorum(2, [root])
    assert after.succeeds == trust.succeeds
    assert after.versions[-1].format == 3
    # Another succession, or none, in a later version is refused, also where it is signed.
    for change in ({"succeeds": {**trust.succeeds.value(), "size": 1}}, {"v": 2}):
        with pytest.raises(TrustRootError):
            after._next(change, [root])


def test_what_cannot_be_succeeded_is_refused_and_nothing_made(older, tmp_path):
    folder = tmp_path / "newer"
    succession = read_succession(older.home.trust_root, older.home.checkpoint, WHY)
    with pytest.raises(BadRequestError, match="is named"):
        create(folder, origin=ORIGIN, purposes=purposes_text(), clock=older.clock, succeeds=succession)
    assert not folder.exists()
    other = make_world(tmp_path / "other")
    (tmp_path / "forged").write_bytes(older.home.checkpoint.read_bytes().replace(b"\n7\n", b"\n8\n"))
    for checkpoint, error in (
        (other.home.checkpoint, NoteError),
        (tmp_path / "forged", NoteError),
        (tmp_path / "nowhere", CheckpointStoreError),
    ):
        with pytest.raises(error):
            read_succession(older.home.trust_root, checkpoint, WHY)
    for reason in (" ", "x" * 201, "two\nlines"):
        with pytest.raises(BadRequestError, match="reason"):
            read_succession(older.home.trust_root, older.home.checkpoint, reason)


def test_a_published_log_that_hides_whom_it_succeeds_is_refused(older, newer, tmp_path):
    with older.open() as ledger:
        publish_log(ledger.log, older.home, tmp_path / "old", dry_run=False)
    with newer.open() as ledger:
        publish_log(ledger.log, newer.home, tmp_path / "new", dry_run=False)
    _verified(tmp_path / "old", older)
    # The same log under a trust root of its own key that names no other, and under one that names another size.
    log_key, root = load_key(newer.home.log_key, NEXT), load_key(newer.home.root_key, f"{NEXT}/root")
    trust = TrustRoot.load(newer.home.trust_root, None)
    plain = TrustRoot.create(log_key=log_key.verifier, root_keys=[root], threshold=1)
    said = decode(trust.raw, limit=2**20)["versions"][0]["signed"]["succeeds"]
    wrong = TrustRoot.create(
        log_key=log_key.verifier,
        root_keys=[root],
        threshold=1,
        succeeds=type(trust.succeeds)(
            said["origin"], said["trust_root"], said["size"] + 1, trust.succeeds.root
        ),
    )
    for root_file in (plain.raw, wrong.raw):
        with pytest.raises(VerificationError) as refused:
            verify_published(_read(tmp_path / "new"), root_file)
        assert refused.value.code == "wrong-succession"


def test_an_empty_log_has_no_entry_that_names_another(older, newer):
    """Its trust root alone is no evidence of a succession."""
    log_key = load_key(newer.home.log_key, NEXT)
    note = sign_checkpoint(TreeHead(NEXT, 0, EMPTY_ROOT), log_key).note.encode()
    trust = newer.home.trust_root.read_bytes()
    found = verify_published(lambda name, _: note if name == "checkpoint" else None, trust)
    assert (found.size, found.succeeds) == (0, None)
    assert not any("takes the place" in sentence for sentence in found.proved)


def _read(folder):
    def read(name, limit):
        path = folder / name
        return path.read_bytes()[: limit + 1] if path.is_file() else None

    return read


def _verified(folder, world):
    return verify_published(_read(folder), (folder / "trust-root.json").read_bytes(), open_trust(world.home))
