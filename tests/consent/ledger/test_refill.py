"""An older restored database is filled again from what was published, byte for byte; what cannot come back is said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import cli
from consent import exporting, store_log
from consent.bulk import permits
from consent.canonical import b64u_decode
from consent.errors import (
    ConsentChanged,
    LedgerDamagedError,
    LedgerUnavailableError,
    NoteError,
    PublishedLogUnavailableError,
    PurposesError,
    RefillRefusedError,
    RefusedToSignError,
    RunPeopleLostError,
    UnknownRunError,
)
from consent.explained import answer_why
from consent.exporting import ExportRequest
from consent.opening import open_log
from consent.published_log import FolderFiles
from consent.records import ConsentRequest, Permitted
from consent.refill import refill
from consent.store_lost import refills
from consent.vocabulary import ConsentStatus, Right, UseStatus
from tests.consent.ledger_world import OFFER, G, make_world, purposes_text, use_request
from tests.consent.restored import Backup, content

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger
    from consent.refill import Refilled
    from tests.consent.ledger_world import World

S = ConsentStatus
PEOPLE = [f"invented-{each}" for each in range(140)]


def fill(world: World, public: Path, *, dry_run: bool = False) -> Refilled:
    with world.open() as ledger:
        done = refill(ledger.log, world.home, FolderFiles(public), dry_run=dry_run)
        if not dry_run:
            ledger.checkpoint()
        return done


def statuses(ledger: Ledger, people: list[str]) -> set[int]:
    """What the decision for many says; the one for one must say the same."""
    found = permits(ledger, people, OFFER, "scoring").status.tolist()
    for person, code in zip(people, found, strict=True):
        one = ledger.permit(person, OFFER, "scoring")
        assert (0 if isinstance(one, Permitted) else one.status) == code
    return set(found)


@pytest.fixture
def public(tmp_path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def lossy(world: World, public: Path) -> Backup:
    """The database is as it was with 140 people; 70 withdrawals, 40 new people, a run and an erasure came after."""
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(person, OFFER, G) for person in PEOPLE])
    backup = Backup(world)
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(person, OFFER, S.WITHDRAWN) for person in PEOPLE[70:]])
        ledger.record_consents([ConsentRequest(f"new-{each}", OFFER, G) for each in range(40)])
        ledger.append_use(use_request(ledger, dict.fromkeys(PEOPLE[:10], UseStatus.USED)))
        ledger.erase(PEOPLE[0], ground="eu-gdpr:A17-1-b")
        ledger.publish(public)
        assert ledger.check() == []
    return backup


def test_the_log_comes_back_byte_for_byte_and_what_is_lost_is_said(world, lossy, public):
    before = content(world)
    with world.open() as ledger:
        head = ledger.head()
        receipt = ledger.consent_receipt(PEOPLE[139], OFFER)
    lossy.restore()
    with world.open(read_only=True) as ledger:
        assert ledger.check() != []
    done = fill(world, public)
    # 70 withdrawals, 40 times an enrolment and a consent, and an erasure; and a run without its list of people.
    assert (done.openings, done.runs, done.erased) == (151, 1, 1)
    after = content(world)
    for name, columns in (("entry", ("idx", "leaf", "body")), ("tile", ("level", "idx", "hashes", "root"))):
        kept = [[[row[column] for column in columns] for row in each[name]] for each in (before, after)]
        assert sorted(kept[0]) == sorted(kept[1])
    world.verify(receipt)
    with world.open() as ledger:
        assert (ledger.head().size, ledger.head().root) == (head.size, head.root)
        assert ledger.check() == []
        assert ledger.number_of(PEOPLE[0]) is None, "erased before the loss, and erased again"
        world.verify(ledger.consent_receipt(PEOPLE[139], OFFER))
        again = ledger.publish(public)
        assert again.written == ()


def test_a_run_whose_people_were_lost_is_no_unknown_run(world, lossy, public):
    with world.open() as ledger:
        [run] = ledger.institutional("run")
    lossy.restore()
    fill(world, public)
    with world.open() as ledger:
        for ask in (ledger.explanation, lambda run_id: ledger.use_receipt(PEOPLE[5], run_id)):
            with pytest.raises(RunPeopleLostError, match=f"entry {run.index}"):
                ask(b64u_decode(run.body["run"]))
        with pytest.raises(UnknownRunError):
            ledger.explanation(bytes(16))


def test_everybody_is_told_of_a_run_of_which_nobody_can_say_whom_it_used(world, lossy, public):
    with world.open() as ledger:
        [run] = ledger.institutional("run")
        assert ledger.lost_runs() == []
    lossy.restore()
    fill(world, public)

    def luvalla(*args: str) -> str:
        done = CliRunner().invoke(cli.luvalla, ["--home", str(world.home.path), "consent", *args])
        assert done.exit_code == 0, done.output
        return done.stdout

    with world.open() as ledger:
        # Who was in it, who was not, who is new, and who is on record no more get the same answer.
        [lost] = ledger.lost_runs()
        assert (lost.index, lost.run) == (run.index, b64u_decode(run.body["run"]))
        assert (lost.service, lost.purpose_id, lost.processing) == ("reading-help", OFFER, "scoring")
        assert ledger.lost_runs(as_of=run.index) == ledger.lost_runs(at=lost.at - timedelta(seconds=1)) == []
        assert ledger.lost_runs(as_of=run.index + 1, at=lost.at) == [lost]
        ledger.append_use(use_request(ledger, {PEOPLE[5]: UseStatus.RECORD_LOST}))
        assert ledger.lost_runs() == [lost]
        assert [view.status for view in ledger.uses(PEOPLE[5])] == [UseStatus.RECORD_LOST]
        copy = exporting.make(ledger, ExportRequest(PEOPLE[5], Right.ACCESS, receipts=False)).document[
            "content"
        ]["information"]["not_proved"]
        assert ["käytettiinkö siinä tietojasi" in each for each in copy].count(True) == 1
        assert ledger.check() == []
    for person in (PEOPLE[5], PEOPLE[60], "new-1", PEOPLE[0]):
        told = json.loads(luvalla("uses", "--person", person, "--json", "--language", "en"))
        assert [each["run"] for each in told["lost"]] == [run.body["run"]]
        assert "Nobody can say whether it used your data." in luvalla(
            "uses", "--person", person, "--language", "en"
        )
    with world.open(read_only=True) as ledger, pytest.raises(RunPeopleLostError, match="nobody can say"):
        answer_why(ledger, PEOPLE[5], lost.run, "en")


def test_nobody_is_used_on_a_consent_that_may_have_been_withdrawn_until_they_confirm_it(world, lossy, public):
    lossy.restore()
    fill(world, public)
    with world.open() as ledger:
        assert statuses(ledger, PEOPLE[1:]) == {UseStatus.RECORD_LOST}
        assert statuses(ledger, ["new-1", PEOPLE[0]]) == {UseStatus.NO_CONSENT}
        with pytest.raises(ConsentChanged) as refused:
            ledger.append_use(use_request(ledger, dict.fromkeys(PEOPLE[1:3], UseStatus.USED)))
        assert len(refused.value.numbers) == 2
        # Whoever confirms is used again; the others still are not.
        ledger.record_consent(PEOPLE[1], OFFER, S.RENEWED)
        ledger.record_consent("new-1", OFFER, G)
        assert statuses(ledger, [PEOPLE[1], "new-1"]) == {0}
        assert statuses(ledger, PEOPLE[2:]) == {UseStatus.RECORD_LOST}
        with pytest.raises(ConsentChanged) as refused:
            ledger.append_use(use_request(ledger, dict.fromkeys(PEOPLE[1:3], UseStatus.USED)))
        assert refused.value.numbers == (ledger.number_of(PEOPLE[2]),)
        use = use_request(ledger, {PEOPLE[1]: UseStatus.USED, PEOPLE[2]: UseStatus.RECORD_LOST})
        ledger.append_use(use)
        proved = world.verify(ledger.use_receipt(PEOPLE[2], use.run))
        assert any("record had been lost" in sentence for sentence in proved.proved)
        # What was known before the loss is still answered as of then.
        [stretch] = _refills(ledger)
        assert isinstance(ledger.permit(PEOPLE[5], OFFER, "scoring", as_of=stretch.first), Permitted)
        assert ledger.permit(PEOPLE[5], OFFER, "scoring", as_of=stretch.until).status is UseStatus.RECORD_LOST
        assert ledger.check() == []


def test_a_number_that_a_lost_enrolment_may_have_given_is_given_to_nobody(world, lossy, public):
    with world.open() as ledger:
        lost = {ledger.number_of(f"new-{each}") for each in range(40)}
    lossy.restore()
    fill(world, public)
    with world.open() as ledger:
        [stretch] = _refills(ledger)
        assert max(lost) < stretch.numbers
        assert ledger.enrol("somebody") >= stretch.numbers
        assert min(ledger.enrol_many(["somebody else", "and another"])) >= stretch.numbers


def test_nor_is_one_that_was_given_after_a_refill_when_the_same_backup_is_put_back_again(
    world, lossy, public
):
    lossy.restore()
    fill(world, public)
    with world.open() as ledger:
        given = set(ledger.enrol_many([f"between-{each}" for each in range(5)]))
        ledger.publish(public)
    lossy.restore()
    fill(world, public)
    with world.open() as ledger:
        assert ledger.enrol("somebody") >= _refills(ledger)[-1].numbers > max(given)
        assert ledger.check() == []


def test_where_numbers_began_that_cannot_be_read_or_kept_stops_a_refill(world, lossy, public):
    lossy.restore()
    floor = world.home.number_floor
    floor.write_text("many\n")
    with pytest.raises(LedgerDamagedError, match="does not hold a number"):
        fill(world, public)
    floor.unlink()
    floor.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be read"):
        fill(world, public)
    floor.rmdir()
    beside = floor.with_name(".number-floor.new")
    beside.mkdir()
    with pytest.raises(LedgerUnavailableError, match="cannot be written"):
        fill(world, public)
    beside.rmdir()
    fill(world, public)


def test_who_was_erased_while_the_database_was_too_old_stays_erased(world, lossy, public):
    lossy.restore()
    with world.open() as ledger:  # Opened for writing: the journal is replayed, and nothing may be appended.
        assert ledger.number_of(PEOPLE[0]) is None
    assert fill(world, public).erased == 1
    for _ in range(2):
        with world.open() as ledger:
            assert ledger.check() == []
            ledger.erase(PEOPLE[1], ground="eu-gdpr:A17-1-b")
            ledger.record_consent(PEOPLE[1], OFFER, G)


def test_a_second_loss_is_filled_as_the_first(world, lossy, public):
    lossy.restore()
    fill(world, public)
    backup = Backup(world)
    with world.open() as ledger:
        ledger.record_consent(PEOPLE[1], OFFER, S.RENEWED)
        ledger.publish(public)
    backup.restore()
    assert fill(world, public).openings == 1
    with world.open() as ledger:
        assert ledger.check() == []
        assert statuses(ledger, [PEOPLE[1]]) == {UseStatus.RECORD_LOST}


def test_database_and_checkpoint_both_old_are_filled_too(world, lossy, public):
    lossy.restore(checkpoint=True)
    # Opening for writing would replay the erasure as a new entry: `ledger refill` opens the log alone.
    log = open_log(world.home, clock=world.clock, read_only=False, clock_confirmed=False, external=None)
    refill(log, world.home, FolderFiles(public))
    log.checkpoint()
    log.store.close()
    with world.open() as ledger:
        assert ledger.head().checkpoint.size == ledger.head().size
        assert ledger.check() == []


def test_a_dry_run_writes_nothing(world, lossy, public):
    lossy.restore()
    with world.open():
        before = content(world)
    done = fill(world, public, dry_run=True)
    assert (done.openings, done.runs) == (151, 1)
    assert content(world) == before


@pytest.mark.parametrize("stage", ["insert_entries", "insert_institutional"])
@pytest.mark.parametrize("written", [False, True])
def test_a_failure_inside_leaves_nothing_and_a_second_try_fills(
    world, lossy, public, monkeypatch, stage, written
):
    lossy.restore()
    with world.open():
        before = content(world)
    real = getattr(store_log, stage)

    def failing(*args):
        if written:
            real(*args)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_log, stage, failing)
    with pytest.raises(OSError, match="No space"):
        fill(world, public)
    monkeypatch.undo()
    assert content(world) == before
    fill(world, public)
    with world.open() as ledger:
        assert ledger.check() == []


def test_what_does_not_continue_the_ledger_is_refused_and_nothing_written(world, lossy, public, tmp_path):
    with world.open() as ledger:
        with pytest.raises(RefillRefusedError, match="nothing is missing"):
            refill(ledger.log, world.home, FolderFiles(public))
        ledger.record_consent("later", OFFER, G)
    lossy.restore()
    with world.open():
        before = content(world)
    with pytest.raises(RefillRefusedError, match="covers") as short:
        fill(world, public)
    assert "docs/ledger/drills.md" in short.value.hint
    # One flipped bit of an entry.
    bundle = max((public / "tile" / "entries").glob("*.p/*"), key=lambda path: int(path.name))
    whole = bundle.read_bytes()
    world.home.checkpoint.write_bytes((public / "checkpoint").read_bytes())
    bundle.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(RefillRefusedError, match="do not have the root"):
        fill(world, public)
    bundle.unlink()
    with pytest.raises(PublishedLogUnavailableError):
        fill(world, public)
    bundle.write_bytes(whole)
    other = make_world(tmp_path / "other")
    with other.open() as ledger:
        ledger.publish(tmp_path / "elsewhere")
    with pytest.raises(NoteError):
        fill(world, tmp_path / "elsewhere")
    with pytest.raises(PublishedLogUnavailableError):
        fill(world, tmp_path / "nowhere")
    kept = world.home.checkpoint.read_bytes()
    world.home.checkpoint.unlink()
    with pytest.raises(RefusedToSignError, match="missing"):
        fill(world, public)
    world.home.checkpoint.write_bytes(kept)
    assert content(world) == before
    fill(world, public)


def test_a_purpose_adopted_in_what_was_lost_comes_back_from_the_purposes_file(world, public):
    backup = Backup(world)
    with world.open() as ledger:
        ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
        ledger.publish(public)
    backup.restore()
    with pytest.raises(PurposesError, match=r"purpose whose text is not in"):
        fill(world, public)
    world.home.purposes.write_text(purposes_text(version=2, notice_version=2), encoding="utf-8")
    assert fill(world, public).openings == 0
    with world.open() as ledger:
        assert ledger.purpose(OFFER).version == 2
        assert ledger.check() == []
        ledger.record_consent("a", OFFER, G)
        assert statuses(ledger, ["a"]) == {0}


def _refills(ledger):
    with ledger.log.store.read() as connection:
        return refills(connection)


@pytest.mark.parametrize("opened_before", [False, True])
def test_runs_before_a_loss_still_prove_themselves_also_beside_somebody_erased_in_it(
    world, public, opened_before
):
    with world.open() as ledger:
        ledger.record_consents([ConsentRequest(person, OFFER, G) for person in PEOPLE[:4]])
        use = use_request(ledger, dict.fromkeys(PEOPLE[:4], UseStatus.USED), values=[b"1"] * 4)
        ledger.append_use(use)
    backup = Backup(world)
    with world.open() as ledger:
        ledger.erase(PEOPLE[0], ground="eu-gdpr:A17-1-b")
        ledger.publish(public)
    backup.restore()
    if opened_before:
        fill(world, public)
    else:
        log = open_log(world.home, clock=world.clock, read_only=False, clock_confirmed=False, external=None)
        refill(log, world.home, FolderFiles(public))
        log.store.close()
    with world.open() as ledger:
        assert ledger.check() == []
        assert ledger.number_of(PEOPLE[0]) is None
        world.verify(ledger.use_receipt(PEOPLE[1], use.run))
        ledger.record_consent(PEOPLE[1], OFFER, S.RENEWED)
        again = use_request(ledger, {PEOPLE[1]: UseStatus.USED}, values=[b"2"])
        ledger.append_use(again)
        world.verify(ledger.use_receipt(PEOPLE[1], again.run))
        assert ledger.check() == []
