"""docs/ledger/when-it-refuses.md: every refusal is provoked, nothing is signed, it says what the page says, and its way out works."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cli
from consent import errors
from consent.errors import (
    CheckpointConflictError,
    CheckpointStoreError,
    ClockError,
    ConsentError,
    ConsentEvidenceError,
    ConsentUnavailableError,
    NoteError,
    RefusedToSignError,
    WitnessesMissingError,
)
from consent.tlog.cosignature import WitnessKey
from consent.tlog.external import FileCheckpointStore
from consent.tlog.note import generate_key, load_key, save_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.vocabulary import ConsentStatus
from tests.consent.ledger_world import OFFER, ORIGIN, Clock, G, World, make_world, open_trust
from tests.consent.restored import Backup, content
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[3] / "docs" / "ledger" / "when-it-refuses.md").read_text()


def said_on_the_page(error: ConsentError) -> str:
    """The message as the page has it, under a heading with the error's class and exit code."""
    told = error.message.partition(" (")[0]
    for section in PAGE.split("\n## ")[1:]:
        if f"`{type(error).__name__}`, exit code {error.exit_code}." not in section:
            continue
        for line in re.findall(r"^> (.+)$", section, re.MULTILINE):
            form = re.escape(line)
            for word, any_of in (("PATH", r"\S+"), ("TEXT", ".+"), ("N", r"\d+")):
                form = re.sub(rf"\b{word}\b", lambda _, any_of=any_of: any_of, form)
            if re.fullmatch(form, told):
                return line
    return ""


def refused(
    world: World, error: type[ConsentError], action: Callable[[], object], *, recorded: bool = False
) -> ConsentError:
    """Assert that an action is refused as the page says, and that nothing was signed, nor written unless the page says so."""
    before, signed = content(world), _checkpoint(world)
    with pytest.raises(error) as caught:
        action()
    assert said_on_the_page(caught.value), caught.value.message
    assert caught.value.hint
    assert _checkpoint(world) == signed
    if not recorded:
        assert content(world) == before
    return caught.value


def _checkpoint(world: World) -> bytes | None:
    return world.home.checkpoint.read_bytes() if world.home.checkpoint.exists() else None


def give(world: World, person: str, **how: object) -> None:
    """Record one consent and hand out its receipt, which is verified: all that a refusal stops."""
    with world.open(**how) as ledger:
        if ledger.number_of(person) is None:
            ledger.record_consent(person, OFFER, G)
        world.verify(ledger.consent_receipt(person, OFFER))


def sound(world: World) -> None:
    give(world, "after")
    with world.open() as ledger:
        assert ledger.check() == []
        assert ledger.head().checkpoint.size == ledger.head().size


def luvalla(world: World, *args: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--home", str(world.home.path), *args])
    assert not ended.value.code
    world.clock.now = datetime.now(UTC)


@pytest.fixture
def city(world: World) -> World:
    """With one consent, and the machine's clock: ways out are commands."""
    world.clock.now = datetime.now(UTC)
    give(world, "a")
    return world


def test_an_older_database(city, tmp_path):
    backup = Backup(city)
    with city.open() as ledger:
        ledger.record_consent("a", OFFER, ConsentStatus.WITHDRAWN)
        ledger.publish(tmp_path / "public")
    newer = Backup(city)
    backup.restore()
    with city.open() as ledger:
        for action in (
            ledger.checkpoint,
            lambda: ledger.record_consent("b", OFFER, G),
            lambda: ledger.consent_receipt("a", OFFER),
            lambda: ledger.prove(0),
            lambda: ledger.publish(tmp_path / "public"),
            lambda: ledger.adopt_purposes(city.home.purposes.read_text(encoding="utf-8")),
        ):
            refused(city, RefusedToSignError, action)
    newer.restore()
    sound(city)
    backup.restore()
    city.home.checkpoint.write_bytes(newer.checkpoint)
    luvalla(city, "ledger", "refill", str(tmp_path / "public"))
    sound(city)


def test_a_database_with_another_past(city):
    backup = Backup(city)
    give(city, "b")
    right = Backup(city)
    backup.restore(checkpoint=True)
    with city.open() as ledger:
        for each in range(3):
            ledger.record_consent(f"c{each}", OFFER, G)
    city.home.checkpoint.write_bytes(right.checkpoint)
    with city.open() as ledger:
        refused(city, RefusedToSignError, ledger.checkpoint)
        refused(city, RefusedToSignError, lambda: ledger.consent_receipt("a", OFFER))
        refused(city, RefusedToSignError, lambda: ledger.record_consent("d", OFFER, G), recorded=True)
    right.restore()
    sound(city)


def test_a_missing_checkpoint(city, tmp_path):
    with city.open() as ledger:
        ledger.publish(tmp_path / "public")
    city.home.checkpoint.unlink()
    with city.open() as ledger:
        refused(city, RefusedToSignError, ledger.checkpoint)
        refused(city, RefusedToSignError, lambda: ledger.record_consent("b", OFFER, G))
    city.home.checkpoint.write_bytes((tmp_path / "public" / "checkpoint").read_bytes())
    sound(city)


def test_a_checkpoint_of_another_key_or_log(city, tmp_path):
    kept = city.home.checkpoint.read_bytes()
    other = make_world(tmp_path / "other")
    with_name = other.home.checkpoint.read_bytes()
    for forged in (with_name, with_name.replace(ORIGIN.encode(), b"other.example/log")):
        city.home.checkpoint.write_bytes(forged)
        with city.open() as ledger:
            refused(city, NoteError, ledger.checkpoint)
            refused(city, NoteError, lambda: ledger.record_consent("b", OFFER, G))
            refused(city, NoteError, lambda: ledger.consent_receipt("a", OFFER))
    city.home.checkpoint.write_bytes(kept)
    sound(city)


def test_a_key_that_the_trust_root_does_not_give(city):
    kept = city.home.log_key.read_bytes()
    city.home.log_key.unlink()
    save_key(generate_key(ORIGIN), city.home.log_key)
    with city.open() as ledger:
        error = refused(city, RefusedToSignError, lambda: ledger.record_consent("b", OFFER, G), recorded=True)
        assert "rotate-key" in error.hint
    # Recorded and not signed: nobody gets a receipt of it, and reading says why.
    with city.open(read_only=True) as ledger:
        refused(city, RefusedToSignError, lambda: ledger.consent_receipt("b", OFFER))
    city.home.log_key.write_bytes(kept)
    luvalla(city, "ledger", "checkpoint")
    give(city, "b")
    sound(city)


class Raced(FileCheckpointStore):
    """Somebody else is always quicker."""

    def replace(self, *_: object) -> None:
        message = "somebody was quicker"
        raise CheckpointConflictError(message, "")


def test_too_many_writers_at_once(city):
    with city.open(external=Raced(city.home.checkpoint)) as ledger:
        refused(city, RefusedToSignError, lambda: ledger.record_consent("b", OFFER, G), recorded=True)
    give(city, "b")
    sound(city)


def test_a_checkpoint_file_that_fails(city):
    class Failing(FileCheckpointStore):
        def __init__(self, path: Path, *, reading: bool, written: bool = False) -> None:
            super().__init__(path)
            self.reading, self.written = reading, written

        def read(self) -> bytes | None:
            if self.reading:
                raise self._failure("read", OSError(5, "Input/output error"))
            return super().read()

        def replace(self, expected: bytes | None, new: bytes) -> None:
            if self.written:
                super().replace(expected, new)
            raise self._failure("written", OSError(28, "No space left on device"))

    with city.open(external=Failing(city.home.checkpoint, reading=True)) as ledger:
        refused(city, CheckpointStoreError, lambda: ledger.record_consent("b", OFFER, G))
    with city.open(external=Failing(city.home.checkpoint, reading=False)) as ledger:
        refused(city, CheckpointStoreError, lambda: ledger.record_consent("b", OFFER, G), recorded=True)
    give(city, "b")
    # Failed but was written: the next call finds the checkpoint, and what it covers is what was recorded.
    with city.open(external=Failing(city.home.checkpoint, reading=False, written=True)) as ledger:
        with pytest.raises(CheckpointStoreError) as caught:
            ledger.record_consent("c", OFFER, G)
        assert said_on_the_page(caught.value)
    give(city, "c")
    sound(city)


def test_a_clock_that_went_back_or_ran_ahead(city):
    right = city.clock.now
    city.clock.now = right - timedelta(hours=1)
    with city.open() as ledger:
        refused(city, ClockError, lambda: ledger.record_consent("b", OFFER, G))
    city.clock.now = right + timedelta(days=500)
    with city.open() as ledger:
        error = refused(city, ClockError, lambda: ledger.record_consent("b", OFFER, G))
        assert "confirm-clock" in error.hint
    city.clock.now = right
    sound(city)


def test_a_ledger_that_was_silent_for_years_goes_on_when_an_operator_confirms_the_clock(tmp_path, database):
    quiet = make_world(tmp_path, database=database, clock=Clock(datetime(2024, 1, 1, tzinfo=UTC)))
    quiet.clock.now = datetime.now(UTC)
    before = content(quiet)
    luvalla(quiet, "ledger", "confirm-clock", "--dry-run")
    assert content(quiet) == before
    with quiet.open() as ledger:
        refused(quiet, ClockError, lambda: ledger.record_consent("b", OFFER, G))
    luvalla(quiet, "ledger", "confirm-clock", "--yes")
    sound(quiet)


def test_missing_witnesses(city):
    pin, root = open_trust(city.home), load_key(city.home.root_key, f"{ORIGIN}/root")
    key = WitnessKey.of(signing_key("ombudsman.example/witness", "witness 1"))
    with city.open() as ledger:
        size = ledger.head().size
    trust = TrustRoot.load(city.home.trust_root, pin)
    trust.with_witnesses(WitnessRule((key,), 1, size + 1), [root]).save(city.home.trust_root)
    with city.open() as ledger:
        with pytest.raises(WitnessesMissingError) as caught:
            ledger.record_consent("b", OFFER, G)
        assert said_on_the_page(caught.value)
        refused(city, WitnessesMissingError, lambda: ledger.consent_receipt("b", OFFER))
        refused(city, WitnessesMissingError, ledger.checkpoint)
        with pytest.raises(WitnessesMissingError):
            ledger.prove(size)
    # The holders of the root keys take the rule back.
    luvalla(city, "ledger", "witnesses", "--threshold", "0")
    give(city, "b")
    sound(city)


def test_a_second_writer_with_a_stale_head_forks_nothing(city):
    with city.open() as one, city.open() as two:
        one.record_consent("b", OFFER, G)
        two.record_consent("c", OFFER, G)
        one.record_consent("d", OFFER, G)
        assert one.head() == two.head()
        # The database is swapped under a writer that has its own idea of the head.
        backup = Backup(city)
        one.record_consent("e", OFFER, G)
        backup.restore()
        refused(city, RefusedToSignError, lambda: one.record_consent("f", OFFER, G))
        refused(city, RefusedToSignError, lambda: two.record_consent("f", OFFER, G))
        refused(city, RefusedToSignError, two.checkpoint)


def test_the_page_names_every_error_class_that_means_a_refusal():
    wanted = {
        each.__name__
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, ConsentError)
        and (issubclass(each, ConsentEvidenceError | ConsentUnavailableError) or each.exit_code == 1)
        and each not in (ConsentEvidenceError, ConsentUnavailableError)
    }
    assert len(wanted) > 20
    assert {name for name in wanted if f"`{name}`" not in PAGE} == set()
    for name, code in re.findall(r"^\| `(\w+)` \| (\d) \|", PAGE, re.MULTILINE):
        assert getattr(errors, name).exit_code == int(code), name


def test_every_message_of_a_refusal_to_sign_by_the_log_is_on_the_page():
    source = (Path(errors.__file__).parent / "log.py").read_text()
    told = re.findall(r'(?:RefusedToSignError|ClockError)\(\s*f?"([^"]+)"', source)
    assert len(told) >= 7
    forms = PAGE.replace("PATH", "N")
    for each in told:
        first, *rest = re.split(r"\{[^}]*\}", each)
        assert f"> {first}" in forms, each
        assert all(part.strip() in forms for part in rest), each
