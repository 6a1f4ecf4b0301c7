from __future__ import annotations

import random
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from sqlalchemy import text

from consent.errors import (
    BadRequestError,
    ConsentEvidenceError,
    PublicationConflictError,
    PublicationError,
    RefusedToSignError,
    TreeDamagedError,
)
from consent.records import ConsentRequest
from consent.tlog import publish as publishing
from consent.tlog.note import load_key
from consent.tlog.tiles import bundle_path, is_tile_path, parse_bundle, tile_path
from consent.trust import TrustRoot
from consent.vocabulary import ConsentStatus
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, ORIGIN, G, make_world, open_trust
from tests.consent.published import give, needed, vkey

if TYPE_CHECKING:
    from pathlib import Path


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("people", [1, 130, 400])
def test_a_second_verifier_reads_what_is_published(ledger, tmp_path, people):
    give(ledger, people)
    size = ledger.checkpoint().size
    done = ledger.publish(tmp_path / "public")
    assert (done.before, done.size, done.kept) == (None, size, 0)
    assert done.written[-1] == "checkpoint"
    entries = second_verifier.published(tmp_path / "public", vkey(ledger))
    assert len(entries) == size
    for path in tree(tmp_path / "public"):
        assert path in {"checkpoint", "trust-root.json"} or is_tile_path(path)


def test_one_flipped_bit_is_refused_by_the_second_verifier(ledger, tmp_path):
    give(ledger, 130)
    public = tmp_path / "public"
    ledger.publish(public)
    chance = random.Random(3)  # noqa: S311 - which bit is no secret
    for name in needed(public):
        whole = (public / name).read_bytes()
        for _ in range(20):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            (public / name).write_bytes(flipped)
            with pytest.raises((AssertionError, ValueError, InvalidSignature, OSError, IndexError)):
                second_verifier.published(public, vkey(ledger))
        (public / name).write_bytes(whole)
    second_verifier.published(public, vkey(ledger))


def test_a_flipped_bit_in_any_published_file_is_refused_by_the_next_publication(ledger, tmp_path):
    give(ledger, 200)
    public = tmp_path / "public"
    ledger.publish(public)
    give(ledger, 3, start=200)
    chance = random.Random(4)  # noqa: S311 - which bit is no secret
    names = list(tree(public))
    for name in {"checkpoint", "trust-root.json", *needed(public), *chance.sample(names, 40)}:
        whole = (public / name).read_bytes()
        flipped = bytearray(whole)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        (public / name).write_bytes(flipped)
        before = tree(public)
        with pytest.raises(ConsentEvidenceError) as caught:
            ledger.publish(public)
        assert caught.value.exit_code == 3
        assert tree(public) == before
        (public / name).write_bytes(whole)
    ledger.publish(public)


def test_new_only_compares_what_the_published_checkpoint_does_not_cover_and_leaves_full_tiles_alone(
    ledger, tmp_path
):
    give(ledger, 150)  # an enrolment and a consent each: more than one tile
    public = tmp_path / "public"
    ledger.publish(public)
    full, partial = public / "tile/entries/000", next((public / "tile/entries/001.p").iterdir())
    whole = full.read_bytes()
    full.write_bytes(b"x" + whole[1:])
    assert ledger.publish(public, new_only=True).written == ()
    with pytest.raises(PublicationConflictError, match="tile/entries/000 is not what the log has"):
        ledger.publish(public)
    full.write_bytes(whole)
    partial.write_bytes(b"x" + partial.read_bytes()[1:])
    with pytest.raises(PublicationConflictError, match="is not what the log has"):
        ledger.publish(public, new_only=True)


def test_every_checkpoint_since_the_last_full_tile_has_its_partial_tiles(ledger, tmp_path):
    """Whoever holds one from a receipt, between two publications, reads its tree as it was."""
    public = tmp_path / "public"
    ledger.publish(public)
    notes = []
    for each in range(30):
        give(ledger, 1 + each % 3, start=3 * each)
        notes.append(ledger.checkpoint().note)
    ledger.publish(public)
    then = tmp_path / "then"
    shutil.copytree(public, then)
    for note in notes:
        (then / "checkpoint").write_text(note)
        assert len(second_verifier.published(then, vkey(ledger))) == int(note.split("\n")[1])


def test_partial_files_go_when_the_full_one_stood_there_one_publication_long(ledger, tmp_path):
    public = tmp_path / "public"
    give(ledger, 100)
    ledger.publish(public)
    give(ledger, 100, start=100)
    assert ledger.publish(public).removed == ()
    assert (public / "tile/0/000.p/1").exists()
    (public / "tile/0/000.p/notes.txt").write_text("somebody's own")
    foreseen = ledger.publish(public, dry_run=True)
    assert set(foreseen.removed) == {"tile/0/000.p", "tile/entries/000.p"}
    assert (public / "tile/0/000.p/1").exists()
    assert ledger.publish(public) == foreseen
    assert [path.name for path in (public / "tile/0/000.p").iterdir()] == ["notes.txt"]
    assert not (public / "tile/entries/000.p").exists()
    second_verifier.published(public, vkey(ledger))


@pytest.mark.parametrize(("table", "column"), [("entry", "body"), ("entry", "leaf"), ("tile", "hashes")])
def test_what_was_changed_in_the_ledger_is_never_published(world, tmp_path, table, column):
    """Entries and tiles are hashed again: a body that its hash does not cover is not what the checkpoint signs."""
    with world.open() as ledger:
        give(ledger, 150)
        ledger.publish(tmp_path / "before")
        with ledger.log.store.write() as connection:
            key = "idx = 7" if table == "entry" else "level = 0 AND idx = 0"
            value = connection.execute(text(f"SELECT {column} FROM {table} WHERE {key}")).scalar_one()  # noqa: S608
            flipped = bytes([value[0] ^ 1]) + bytes(value[1:])
            connection.execute(text(f"UPDATE {table} SET {column} = :v WHERE {key}"), {"v": flipped})  # noqa: S608
        if column == "body":
            with pytest.raises(TreeDamagedError, match="do not give the root"):
                ledger.publish(tmp_path / "after")
            assert not tree(tmp_path / "after")
        else:  # what is published is made from the bodies alone
            ledger.publish(tmp_path / "after")
            assert tree(tmp_path / "after") == tree(tmp_path / "before")


def test_a_second_publisher_is_refused(ledger, tmp_path):
    give(ledger, 3)
    public = tmp_path / "public"
    with publishing.Folder().locked(public):
        before = tree(public)
        with pytest.raises(PublicationError, match="another process is publishing") as caught:
            ledger.publish(public)
        assert caught.value.exit_code == 4
        assert tree(public) == before
    ledger.publish(public)


def test_a_trust_root_is_replaced_only_by_one_that_continues_it(world, tmp_path):
    public = tmp_path / "public"
    with world.open() as ledger:
        give(ledger, 2)
        ledger.publish(public)
    first = world.home.trust_root.read_bytes()
    root = TrustRoot.load(world.home.trust_root, open_trust(world.home))
    signer = [load_key(world.home.root_key, f"{ORIGIN}/root")]
    second = root.with_quorum(2, signer)
    second.save(world.home.trust_root)
    with world.open() as ledger:
        assert "trust-root.json" in ledger.publish(public).written
    assert (public / "trust-root.json").read_bytes() == second.raw
    # The home's is an older copy; another second version; another log's.
    for raw, match in ((first, "an older copy"), (root.with_quorum(3, signer).raw, "two different")):
        world.home.trust_root.write_bytes(raw)
        before = tree(public)
        with world.open() as ledger, pytest.raises(PublicationConflictError) as caught:
            ledger.publish(public)
        assert match in f"{caught.value.message} {caught.value.hint}"
        assert tree(public) == before
    world.home.trust_root.write_bytes(second.raw)
    other = make_world(tmp_path / "other")
    (public / "trust-root.json").write_bytes(other.home.trust_root.read_bytes())
    with world.open() as ledger, pytest.raises(PublicationConflictError, match="not an earlier version"):
        ledger.publish(public)


def test_publishing_again_writes_only_what_is_new_and_keeps_old_partial_tiles(ledger, tmp_path):
    give(ledger, 100)
    public = tmp_path / "public"
    first = ledger.publish(public)
    before = tree(public)
    again = ledger.publish(public)
    assert (again.written, again.kept) == ((), len(before))
    give(ledger, 100, start=100)
    second = ledger.publish(public)
    assert second.before == first.size
    after = tree(public)
    assert {name: after[name] for name in before if name != "checkpoint"} == {
        name: content for name, content in before.items() if name != "checkpoint"
    }
    second_verifier.published(public, vkey(ledger))


def test_a_dry_run_writes_nothing(ledger, tmp_path):
    give(ledger, 3)
    foreseen = ledger.publish(tmp_path / "public", dry_run=True)
    assert not (tmp_path / "public").exists()
    assert foreseen == ledger.publish(tmp_path / "public")


def test_nothing_of_a_person_is_published(tmp_path):
    """Two histories with equally many personal entries and the same institutional acts differ in C and hashes only."""
    folders = []
    for name, statuses in (("a", [G] * 6), ("b", [G, ConsentStatus.REFUSED, G, G, ConsentStatus.REFUSED, G])):
        world = make_world(tmp_path / name)
        with world.open() as ledger:
            ledger.record_consents(
                [
                    ConsentRequest(f"{name}-invented-{each}", OFFER, status)
                    for each, status in enumerate(statuses)
                ]
            )
            ledger.publish(tmp_path / name / "public")
            subjects = [ledger.log.pseudonym(f"{name}-invented-{each}") for each in range(6)]
        folders.append(tree(tmp_path / name / "public"))
        for content in folders[-1].values():
            assert b"invented" not in content
            assert not any(pseudonym in content for pseudonym in subjects)
    assert list(folders[0]) == list(folders[1])
    width = max(int(name.rpartition("/")[2]) for name in folders[0] if "entries" in name)
    entries = [parse_bundle(folder[bundle_path(0, width)], width) for folder in folders]
    for one, other in zip(*entries, strict=True):
        hidden = [re.sub(rb'"c":"[\w-]{43}"', b'"c":C', each) for each in (one, other)]
        # The two homes have trust roots of their own: their digests differ, as all hashes do.
        hidden = [re.sub(rb"sha256:[0-9a-f]{64}", b"DIGEST", each) for each in hidden]
        assert hidden[0] == hidden[1]


def test_another_logs_folder_is_left_as_it_is(tmp_path):
    one, other = make_world(tmp_path / "one"), make_world(tmp_path / "other")
    public = tmp_path / "public"
    with one.open() as ledger:
        give(ledger, 5)
        ledger.publish(public)
    before = tree(public)
    with other.open() as ledger:
        give(ledger, 9)
        with pytest.raises(ConsentEvidenceError):
            ledger.publish(public)
    assert tree(public) == before


def test_a_changed_tile_stops_publishing_and_nothing_is_written(ledger, tmp_path):
    give(ledger, 5)
    public = tmp_path / "public"
    ledger.publish(public)
    name = next(name for name in tree(public) if name.startswith("tile/0"))
    (public / name).write_bytes(b"x" * 32)
    before = tree(public)
    give(ledger, 0)
    with pytest.raises(PublicationConflictError, match="not what the log has"):
        ledger.publish(public)
    assert tree(public) == before


def test_an_older_restored_ledger_publishes_nothing(world, tmp_path):
    public = tmp_path / "public"
    with world.open() as ledger:
        give(ledger, 2)
        old_note = world.home.checkpoint.read_bytes()
        give(ledger, 5, start=2)
        ledger.publish(public)
        before = tree(public)
        world.home.checkpoint.write_bytes(old_note)
        with pytest.raises(PublicationConflictError, match="restored"):
            ledger.publish(public)
        world.home.checkpoint.write_bytes((public / "checkpoint").read_bytes())
        assert tree(public) == before


def test_without_the_external_checkpoint_nothing_is_published(world, tmp_path):
    with world.open() as ledger:
        give(ledger, 2)
    world.home.checkpoint.unlink()
    with world.open(read_only=True) as ledger, pytest.raises(RefusedToSignError):
        ledger.publish(tmp_path / "public")
    assert not (tmp_path / "public").exists()


def test_a_home_is_not_published_into(world):
    with world.open() as ledger:
        give(ledger, 2)
        before = tree(world.home.path)
        with pytest.raises(BadRequestError, match="is a luvalla home"):
            ledger.publish(world.home.path)
    assert {name for name in tree(world.home.path) if "tile" in name} == {
        name for name in before if "tile" in name
    }


def test_a_proof_is_the_public_format_and_leads_to_the_checkpoint(ledger):
    give(ledger, 20)
    size = ledger.head().size
    for index in range(size):
        assert ledger.prove(index).startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
    for index in (-1, size):
        with pytest.raises(BadRequestError):
            ledger.prove(index)


def test_paths_are_those_of_the_specification():
    """The example of C2SP tlog-tiles: tile 1234067 of level 0."""
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(3, 0, 17) == "tile/3/000.p/17"
    assert bundle_path(1_000) == "tile/entries/x001/000"
    assert not is_tile_path("tile/0/x000/001")
    assert not is_tile_path("tile/0/001.p/256")
