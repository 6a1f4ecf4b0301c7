"""An erasure knows of every file about a person that luvalla wrote inside the home, whenever it was saved."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consent import export_page, exporting, house_files, receipt_files, receipt_page
from consent.errors import ConsentInputError, ConsentUnavailableError, UnknownPersonError
from consent.export_command import export
from consent.exporting import ExportRequest
from consent.vocabulary import Right, UseStatus
from tests.consent.ledger_world import OFFER, G, use_request

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

GROUND = "eu-gdpr:A17-1-b"


def texts_about(ledger: Ledger, person: str, run: bytes) -> dict[str, str]:
    """Every kind of file about a person that a command can save in a home, by name."""
    receipts = {"consent": ledger.consent_receipt(person, OFFER), "use": ledger.use_receipt(person, run)}
    texts = {
        f"{name}.{form}": receipt_page.written(receipt, form, "en")
        for name, receipt in receipts.items()
        for form in receipt_page.FORMATS
    }
    for right in (Right.ACCESS, Right.PORTABILITY):
        for receipts_too in (True, False):
            asked = ExportRequest(person, right, "en", receipts_too)
            document = exporting.make(ledger, asked).document
            name = f"{right.value}-{receipts_too}"
            texts[f"{name}.json"] = receipt_files.text_of(document)
            texts[f"{name}.html"] = export_page.page(document)
    return texts


@pytest.fixture
def run(ledger: Ledger) -> bytes:
    for person in ("gone", "other"):
        ledger.record_consent(person, OFFER, G)
    use = use_request(ledger, {"gone": UseStatus.USED, "other": UseStatus.USED})
    ledger.append_use(use)
    return use.run


def test_every_kind_of_file_saved_before_is_deleted_and_nobody_else_s(
    ledger: Ledger, world: World, run: bytes
) -> None:
    deeper = world.home.receipts / "desk" / "3"
    deeper.mkdir(parents=True)
    for person in ("gone", "other"):
        for name, text in texts_about(ledger, person, run).items():
            for folder in (world.home.receipts, deeper):
                receipt_files.save_text(text, folder / f"{person}-{name}")
    ledger.erase("gone", ground=GROUND)
    left = [path.name for path in world.home.receipts.rglob("*") if path.is_file()]
    assert len(left) == 2 * len(texts_about(ledger, "other", run)) == 28
    assert all(name.startswith("other-") for name in left)


def test_what_was_read_before_an_erasure_is_not_saved_after_it(
    ledger: Ledger, world: World, run: bytes, tmp_path: Path
) -> None:
    texts = texts_about(ledger, "gone", run)
    others = texts_about(ledger, "other", run)
    ledger.erase("gone", ground=GROUND)
    for name, text in texts.items():
        with pytest.raises(UnknownPersonError, match="erased meanwhile"):
            receipt_files.save_text(text, world.home.receipts / name)
    assert list(world.home.receipts.iterdir()) == []
    for name, text in others.items():
        receipt_files.save_text(text, world.home.receipts / name)
    # Outside the home a file is the caller's.
    receipt_files.save_text(texts["consent.json"], tmp_path / "mine.json")


def test_the_command_saves_nothing_of_somebody_erased_after_it_closed_the_ledger(
    world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = exporting.make

    def then_erased(ledger: Ledger, asked: ExportRequest) -> exporting.Export:
        done = made(ledger, asked)
        ledger.erase(asked.person, ground=GROUND)
        return done

    monkeypatch.setattr(exporting, "make", then_erased)
    monkeypatch.setattr("consent.export_command.open_ledger", world.open)
    done = CliRunner().invoke(export, ["--person", "gone"], obj={"home": world.home.path})
    assert isinstance(done.exception, UnknownPersonError), done.output
    assert list(world.home.receipts.iterdir()) == []


def test_an_erasure_waits_for_a_file_that_is_being_saved_and_finds_it(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = texts_about(ledger, "gone", run)["consent.json"]
    path = world.home.receipts / "saved.json"
    asked, real = threading.Event(), house_files.read_lines

    def checked(journal: Path) -> list:
        """The saver has asked the journal; now the erasure begins, and gets as far as it can."""
        lines = real(journal)
        if threading.current_thread() is not threading.main_thread():
            return lines
        erasing.start()
        assert asked.wait(30)
        return lines

    def erase() -> None:
        with world.open() as other:
            other.erase("gone", ground=GROUND)

    def delete(home: object, subjects: object, kept: object = house_files.delete_copies) -> int:
        asked.set()
        return kept(home, subjects)  # type: ignore[operator]

    erasing = threading.Thread(target=erase)
    monkeypatch.setattr(house_files, "read_lines", checked)
    monkeypatch.setattr(house_files, "delete_copies", delete)
    receipt_files.save_text(text, path)
    erasing.join(30)
    assert ledger.number_of("gone") is None
    assert not path.exists()


def test_what_somebody_killed_left_half_saved_goes_with_the_next_erasure(
    ledger: Ledger, world: World, run: bytes
) -> None:
    (world.home.receipts / ".export-access-1.json.4711.part").write_text('{"content": {"consents": [')
    ledger.erase("gone", ground=GROUND)
    assert list(world.home.receipts.iterdir()) == []


def test_offers_that_a_dead_run_left_go_with_the_next_erasure_and_a_living_run_s_stay(
    ledger: Ledger, world: World, run: bytes
) -> None:
    left = world.home.outbox / f"{run.hex()}.jsonl"
    left.write_text('{"person": "gone"}\n')
    with (world.home.outbox / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ledger.erase("other", ground=GROUND)
        assert left.exists()
    ledger.erase("gone", ground=GROUND)
    assert not left.exists()


def test_a_file_about_a_person_lies_in_a_home_where_an_erasure_finds_it_or_nowhere(
    ledger: Ledger, world: World, run: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent.export_command.open_ledger", world.open)
    size = ledger.head().size
    (tmp_path / "link").symlink_to(world.home.path)
    inside = [
        world.home.path / "copy.json",
        world.home.outbox / "copy.json",
        world.home.receipts / ".." / "copy.json",
        tmp_path / "link" / "copy.json",
    ]
    for out in inside:
        for option in ("--out", "--page"):
            done = CliRunner().invoke(
                export, ["--person", "gone", option, str(out)], obj={"home": world.home.path}
            )
            assert isinstance(done.exception, ConsentInputError)
            assert "outside its folder for receipts" in done.exception.message
        with pytest.raises(ConsentInputError, match="outside its folder for receipts"):
            receipt_files.save(ledger.consent_receipt("gone", OFFER), out)
        assert not out.exists()
    assert ledger.head().size == size
    for out in (world.home.receipts / "copy.json", tmp_path / "link" / "receipts" / "copy-2.json"):
        receipt_files.save(ledger.consent_receipt("gone", OFFER), out)
        assert json.loads(out.read_text())["type"] == "consent"
    ledger.erase("gone", ground=GROUND)
    assert list(world.home.receipts.iterdir()) == []


def test_a_receipts_folder_on_another_disk_is_the_home_s_all_the_same(
    ledger: Ledger, world: World, run: bytes, tmp_path: Path
) -> None:
    world.home.receipts.rmdir()
    (tmp_path / "disk").mkdir()
    world.home.receipts.symlink_to(tmp_path / "disk")
    receipt = ledger.consent_receipt("gone", OFFER)
    receipt_files.save(receipt, world.home.receipts / "a.json")
    ledger.erase("gone", ground=GROUND)
    assert list((tmp_path / "disk").iterdir()) == []
    with pytest.raises(UnknownPersonError):
        receipt_files.save(receipt, world.home.receipts / "b.json")


def test_a_file_that_cannot_be_deleted_stops_the_erasure_and_the_same_again_completes_it(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt_files.save(ledger.consent_receipt("gone", OFFER), world.home.receipts / "a.json")

    def failing(path: Path) -> int:
        raise house_files._failure(path.parent, OSError(5, os.strerror(5)))

    with monkeypatch.context() as patched:
        patched.setattr(house_files, "_delete", failing)
        with pytest.raises(ConsentUnavailableError, match="cannot be deleted: Input/output error"):
            ledger.erase("gone", ground=GROUND, request_id="r")
    assert ledger.erase("gone", ground=GROUND, request_id="r").index is not None
    assert list(world.home.receipts.iterdir()) == []
    assert ledger.check() == []
