"""A home with a past: four invented people, two purposes, and a training, a scoring and their results."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import cli
from consent.commands import why as consent_why
from consent.home import Home
from consent.ledger import Ledger
from consent.setup import create
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


PURPOSES = """
[[purpose]]
id = "health-benefit.development"
version = 1
service = "health-benefit"
title = { fi = "Terveyspalvelun kehittäminen", sv = "Utveckling av hälsotjänsten", en = "Developing the health service" }
description = { fi = "Mallin opettaminen ja tarkastaminen", sv = "Träning och granskning av modellen", en = "Training and auditing the model" }
legal_basis = "eu-gdpr:A6-1-e"
processing = ["audit", "training"]
categories = ["pd:Health"]
retention_days = 30
consent_days = 365
controller = "City of Example, privacy@city.example"
recipients = []
effects_of_no = { fi = "Tavallinen palvelu säilyy.", sv = "Den vanliga tjänsten finns kvar.", en = "The ordinary service stays." }
[purpose.notice]
id = "health-benefit.development"
version = 1
text = { fi = "Saammeko käyttää tietojasi mallin tekemiseen?", sv = "Får vi använda dina uppgifter för att göra modellen?", en = "May we use your data to make the model?" }

[[purpose]]
id = "health-benefit.offer"
version = 1
service = "health-benefit"
title = { fi = "Terveystarkastuksen tarjoaminen", sv = "Erbjudande om hälsokontroll", en = "Offering a health check-up" }
description = { fi = "Malli ehdottaa, kenelle tarkastusta tarjotaan", sv = "Modellen föreslår vem som erbjuds kontroll", en = "A model proposes whom to offer a check-up" }
legal_basis = "eu-gdpr:A6-1-e"
processing = ["human-review", "scoring"]
categories = ["pd:Health"]
retention_days = 90
consent_days = 365
controller = "City of Example, privacy@city.example"
recipients = []
effects_of_no = { fi = "Emme tarjoa ennakolta; voit varata ajan itse.", sv = "Vi erbjuder inget i förväg; du kan själv boka tid.", en = "We offer nothing in advance; you can book yourself." }
[purpose.notice]
id = "health-benefit.offer"
version = 1
text = { fi = "Saammeko ehdottaa sinulle tarkastusta?", sv = "Får vi föreslå en kontroll för dig?", en = "May we propose a check-up to you?" }
"""
OFFER, DEVELOPMENT = "health-benefit.offer", "health-benefit.development"
AINO, BERTIL, CARITA, DAVID = (f"invented-{name}" for name in ("aino", "bertil", "carita", "david"))
SCORING, TRAINING = (
    bytes(range(16)),
    bytes([0xFB, 0xEF, *range(14)]),
)  # the second one's text begins with "--"
MODEL = ModelRef("health-benefit", "3", "sha256:" + "ab" * 32)
CERTIFICATE = "sha256:" + "cd" * 32
EXPLANATION: dict[str, Any] = {
    "features": ["visits", "distance"],
    "texts": {
        "visits": {"fi": "käynnit viime vuonna", "sv": "besök i fjol", "en": "visits last year"},
        "distance": {"fi": "matka", "sv": "avstånd", "en": "distance"},
    },
    "threshold": "0.42",
    "expected": "-1.5",
    "capacity": "0.20",
    "offer": {
        "fi": "Sinulle ehdotettiin tarkastusta.",
        "sv": "Du föreslogs en kontroll.",
        "en": "A check-up was proposed to you.",
    },
    "not_selected": {
        "fi": "Voit varata ajan itse.",
        "sv": "Du kan själv boka tid.",
        "en": "You can book yourself.",
    },
}


def kept(contributions: list[float], score: float, values: list[float | None]) -> bytes:
    return json.dumps({"c": contributions, "s": score, "x": values}, separators=(",", ":")).encode()


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self) -> None:
        # The commands' clock is the machine's: the past must lie behind it, and not a year behind.
        self.now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def _past(home: Home, clock: Clock) -> None:
    with Ledger.open(home, clock=clock) as ledger:
        for person in (AINO, BERTIL):
            ledger.record_consent(person, OFFER, ConsentStatus.GIVEN, language="en")
            ledger.record_consent(person, DEVELOPMENT, ConsentStatus.GIVEN)
        ledger.record_consent(CARITA, OFFER, ConsentStatus.REFUSED)
        ledger.record_consent(DAVID, OFFER, ConsentStatus.GIVEN)
        clock.forward(hours=1)
        ledger.record_consent(DAVID, OFFER, ConsentStatus.WITHDRAWN)
        number = {person: ledger.number_of(person) for person in (AINO, BERTIL, CARITA, DAVID)}
        clock.forward(hours=1)
        ledger.append_use(
            UseRequest(
                run=TRAINING,
                processing="training",
                purpose_id=DEVELOPMENT,
                service="health-benefit",
                numbers=[number[AINO], number[BERTIL], number[CARITA]],
                statuses=[int(UseStatus.USED), int(UseStatus.USED), int(UseStatus.NO_CONSENT)],
                state=ledger.checkpoint(),
                model=MODEL,
                output=MODEL.digest,
            )
        )
        clock.forward(hours=1)
        ledger.append_use(
            UseRequest(
                run=SCORING,
                processing="scoring",
                purpose_id=OFFER,
                service="health-benefit",
                numbers=[number[person] for person in (AINO, BERTIL, CARITA, DAVID)],
                statuses=[
                    int(s)
                    for s in (UseStatus.SELECTED, UseStatus.USED, UseStatus.REFUSED, UseStatus.WITHDRAWN)
                ],
                state=ledger.checkpoint(),
                model=MODEL,
                certificate=CERTIFICATE,
                output="sha256:" + "ef" * 32,
                values=[kept([0.8, -0.3], 0.61, [3, 2.5]), kept([-0.4, 0.1], 0.2, [0, None]), b"", b""],
                explanation=EXPLANATION,
            )
        )


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime, datetime]:
    folder, clock = tmp_path_factory.mktemp("citizen") / "home", Clock()
    began = clock.now
    _past(create(folder, origin="city.example/consent", purposes=PURPOSES, clock=clock), clock)
    return folder, began, clock.now


@pytest.fixture
def home(_template: tuple[Path, datetime, datetime], tmp_path: Path) -> Home:
    shutil.copytree(_template[0], tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def clock(_template: tuple[Path, datetime, datetime]) -> Clock:
    standing = Clock()
    standing.now = _template[2] + timedelta(hours=1)
    return standing


@pytest.fixture
def began(_template: tuple[Path, datetime, datetime]) -> datetime:
    """When the first consents were given; David withdrew an hour later, training ran after two, scoring after three."""
    return _template[1]


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    out: str
    err: str
    error: BaseException | None

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def luvalla(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """The command line in this process, in an empty folder, speaking English."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("LC_ALL", "LC_MESSAGES", "LUVALLA_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    def run(*arguments: str | Path, stdin: str = "", at: Path | None = None) -> Run:
        command, path = list(map(str, arguments)), at or home.path
        if command[:2] == ["consent", "why"] and "consent why" not in cli.TABLE:
            result = CliRunner().invoke(consent_why, command[2:], input=stdin, obj={"home": path})
        else:
            result = CliRunner().invoke(cli.luvalla, ["--home", str(path), *command], input=stdin)
        error = None if isinstance(result.exception, SystemExit) else result.exception
        code = getattr(error, "exit_code", result.exit_code) if error else result.exit_code
        return Run(code, result.stdout, result.stderr, error)

    return run
