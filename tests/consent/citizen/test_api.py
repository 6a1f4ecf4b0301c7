"""The citizens' API: the same answers as the command line, one's own only, strict, and true to its OpenAPI document."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from consent import words
from consent.ledger import Ledger
from consent.tlog.verify import verify_receipt
from consent.web import problems
from consent.web.api import Service
from consent.web.app import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette prefers httpx2 (shared facts, section 8)
    from fastapi.testclient import TestClient

from tests.consent.citizen.api_citizen import (
    AINO,
    BERTIL,
    CARITA,
    DAVID,
    DEVELOPMENT,
    DOCUMENT,
    EEVA,
    IDENTITY,
    NOBODYS,
    OFFER,
    SCORING,
    TRAINING,
    Citizen,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.home import Home


@pytest.fixture
def citizen(home: Home, clock: Callable[[], Any]) -> Citizen:
    return Citizen(home, clock)


def test_the_document_is_an_openapi_that_promises_only_what_is_kept() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert (operation.get("security") == [{"citizen": []}]) == path.startswith("/v1/me")
            assert ("401" in operation["responses"]) == path.startswith("/v1/me")
            for status, response in operation["responses"].items():
                media = set(response["content"])
                assert (media == {"application/problem+json"}) == (status >= "400")
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


def test_the_published_document_is_this_one(luvalla: Callable[..., Any]) -> None:
    file = Path(__file__).parents[3] / "docs" / "api-citizen" / "openapi.json"
    remake = "luvalla serve citizen --openapi > docs/api-citizen/openapi.json"
    assert json.loads(file.read_text(encoding="utf-8")) == DOCUMENT, remake
    assert luvalla("serve", "citizen", "--openapi", at=Path("/nowhere")).json == DOCUMENT


def test_my_consents(citizen: Citizen) -> None:
    told = citizen.ask("/v1/me/consents", DAVID).json()["consents"]
    offer = next(each for each in told if each["purpose"] == OFFER)
    assert (offer["status"], offer["permits"], offer["status_words"]) == (
        "withdrawn",
        False,
        "Consent withdrawn",
    )
    assert [event["status"] for event in offer["history"]] == ["given", "withdrawn"]


@pytest.mark.parametrize(
    ("language", "sentence"), [("fi", "Kieltäydytty"), ("sv-FI", "Samtycke nekat"), ("en", "Consent refused")]
)
def test_answers_come_in_the_readers_language(citizen: Citizen, language: str, sentence: str) -> None:
    answer = citizen.ask("/v1/me/consents", CARITA, language=language)
    assert sentence in answer.text
    assert answer.headers["content-language"] == language[:2]
    assert "Accept-Language" in answer.headers["vary"]


def test_give_withdraw_and_give_again(citizen: Citizen) -> None:
    for said in ("given", "withdrawn", "given"):
        answer = citizen.say(EEVA, said)
        assert answer.status_code == 201
        assert answer.json()["status"] == said
        citizen.clock.forward(seconds=5)
    assert citizen.say(EEVA, "renewed").json()["status"] == "renewed"


@pytest.mark.parametrize(
    ("person", "said", "recorded"),
    [
        (AINO, "refused", "withdrawn"),
        (EEVA, "withdrawn", "refused"),
        (EEVA, "refused", "refused"),
        (AINO, "withdrawn", "withdrawn"),
    ],
)
def test_a_no_always_counts(citizen: Citizen, person: str, said: str, recorded: str) -> None:
    first = citizen.say(person, said, key="0f7d")
    assert (first.status_code, first.json()["status"]) == (201, recorded)
    again = citizen.say(person, said, key="0f7d")
    assert (again.status_code, again.json()["index"], again.json()["replayed"]) == (
        200,
        first.json()["index"],
        True,
    )


def test_what_cannot_follow_is_refused_with_the_state(citizen: Citizen) -> None:
    for person, said, state in (
        (AINO, "given", "Consent given"),
        (DAVID, "withdrawn", "Consent withdrawn"),
        (EEVA, "renewed", "No answer"),
    ):
        answer = citizen.say(person, said)
        assert answer.status_code == 409
        assert state in answer.json()["detail"]


def test_objecting_leaves_me_out_until_i_withdraw_it(citizen: Citizen) -> None:
    for right, sentence in (("objection", "Objection"), ("objection-withdrawn", "Objection withdrawn")):
        answer = citizen.ask("/v1/me/rights", AINO, method="POST", json={"right": right})
        assert answer.status_code == 201
        assert (answer.json()["right"], answer.json()["right_words"]) == (right, sentence)
    unknown = {"right": "objection", "purposes": ["nothing.known"]}
    assert citizen.ask("/v1/me/rights", AINO, method="POST", json=unknown).status_code == 404
    lifted = citizen.ask("/v1/me/rights", AINO, method="POST", json={"right": "restriction-lifted"})
    assert lifted.status_code == 422


def test_a_repeated_right_is_recorded_once_and_listed(citizen: Citizen) -> None:
    def ask(person: str, **said: Any) -> Any:
        return citizen.ask(
            "/v1/me/rights", person, method="POST", json=said, headers={"Idempotency-Key": "k"}
        )

    first = ask(AINO, right="restriction", processing=["scoring"])
    again = ask(AINO, right="restriction", processing=["scoring"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["index"], again.json()["replayed"]) == (first.json()["index"], True)
    assert ask(AINO, right="objection").status_code == 409
    assert ask(BERTIL, right="objection").status_code == 201
    for language, words_ in (("fi", "Käsittelyn rajoitus"), ("sv", "Begränsning av behandling")):
        told = citizen.ask("/v1/me/rights", AINO, language=language).json()
        assert [each["right_words"] for each in told["rights"]] == [words_]
    assert [(each["purpose"], each["processing"]) for each in told["standing"]] == [(OFFER, "scoring")]
    assert citizen.ask("/v1/me/rights", EEVA).json() == {"rights": [], "standing": []}


def test_who_was_refused_is_not_put_on_record(citizen: Citizen, home: Home) -> None:
    """A request id is each person's own; it must cost nobody a number whose answer or right is not recorded."""

    def ask(person: str, **said: Any) -> Any:
        return citizen.ask(
            "/v1/me/rights", person, method="POST", json=said, headers={"Idempotency-Key": "k"}
        )

    with Ledger.open(home, read_only=True) as ledger:
        before = ledger.head().size
    assert ask(EEVA, right="objection", purposes=["nothing.known"]).status_code == 404
    assert ask(EEVA, right="objection", categories=["nothing:Known"]).status_code == 422
    assert ask(EEVA, right="rectification", corrects=0).status_code == 422
    assert citizen.say(EEVA, "renewed", key="k").status_code in (409, 422)
    with Ledger.open(home, read_only=True) as ledger:
        assert (ledger.head().size, ledger.number_of(EEVA)) == (before, None)
    first, again = ask(EEVA, right="objection"), ask(EEVA, right="objection")
    assert (first.status_code, again.status_code, again.json()["index"]) == (201, 200, first.json()["index"])
    with Ledger.open(home, read_only=True) as ledger:
        assert ledger.head().size == before + 2


def test_a_first_right_of_who_asked_not_to_be_recorded_is_repeated_too(
    citizen: Citizen, home: Home, clock: Callable[[], Any]
) -> None:
    with Ledger.open(home, clock=clock) as ledger:
        ledger.erase(DAVID, ground="eu-gdpr:A17-1-b", no_return=True)
    said = {"json": {"right": "access"}, "headers": {"Idempotency-Key": "k"}, "method": "POST"}
    answers_ = [citizen.ask("/v1/me/rights", DAVID, **said) for _ in range(2)]
    assert [answer.status_code for answer in answers_] == [201, 200]
    assert citizen.say(DAVID, "given", key="k2").status_code == 409
    assert citizen.say(DAVID, "withdrawn", key="k3").status_code == 201


def test_a_correction_names_my_own_wrong_entry(citizen: Citizen) -> None:
    def correct(person: str, index: int | None) -> Any:
        said = {"right": "rectification", "corrects": index}
        return citizen.ask("/v1/me/rights", person, method="POST", json=said).status_code

    [index] = [
        each["history"][0]["index"]
        for each in citizen.ask("/v1/me/consents", AINO).json()["consents"]
        if each["purpose"] == OFFER
    ]
    assert (correct(AINO, None), correct(BERTIL, index), correct(AINO, index)) == (422, 422, 201)
    told = citizen.ask("/v1/me/consents", AINO).json()["consents"]
    assert [each["status"] for each in told if each["purpose"] == OFFER] == ["invalidated"]


def test_an_export_is_whole_recorded_and_given_again_for_the_same_key(citizen: Citizen) -> None:
    schema = Path(__file__).parents[3] / "docs" / "schemas" / "export.schema.json"
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))

    def export(person: str, **said: Any) -> Any:
        return citizen.ask(
            "/v1/me/exports", person, method="POST", json=said, headers={"Idempotency-Key": "e"}
        )

    first, again = export(BERTIL), export(BERTIL)
    assert (first.status_code, again.status_code) == (201, 200)
    for answer in (first, again):
        validator.validate(answer.json())
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["cache-control"] == "no-store"
    assert first.json()["content"] == again.json()["content"]
    use = first.json()["content"]["uses"][-1]
    assert (use["result"], use["why"]["score"], len(use["why"]["table"])) == ("not-selected", "0.2", 2)
    root = citizen.ask("/v1/trust-root").content
    for receipt in [each for part in first.json()["receipts"].values() for each in part]:
        assert verify_receipt(json.dumps(receipt).encode(), root).pinned is False
    moved = citizen.ask("/v1/me/exports", BERTIL, method="POST", json={"right": "portability"})
    validator.validate(moved.json())
    assert BERTIL not in first.text + moved.text
    listed = citizen.ask("/v1/me/rights", BERTIL).json()["rights"]
    assert [(each["right"], each["answer"]) for each in listed] == [
        ("access", "granted"), ("portability", "granted"),
    ]  # fmt: skip
    assert citizen.ask("/v1/me/exports", EEVA, method="POST", json={}).status_code == 404


def test_a_receipt_as_a_page_and_as_text(citizen: Citizen) -> None:
    for path in (f"/v1/me/receipts/consents/{OFFER}", f"/v1/me/receipts/uses/{SCORING}"):
        kind = "consent" if "consents" in path else "use"
        for form, media, suffix in (("html", "text/html", "html"), ("text", "text/plain", "txt")):
            answer = citizen.ask(f"{path}?format={form}", AINO, headers={"Accept-Language": "sv"})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == f"{media}; charset=utf-8"
            assert answer.headers["content-language"] == "sv"
            assert answer.headers["cache-control"] == "no-store"
            named = f'attachment; filename="luvalla-{kind}-receipt.{suffix}"'
            assert answer.headers["content-disposition"] == named
            assert "Kvitto på" in answer.text
            assert AINO not in answer.text
        assert citizen.ask(f"{path}?format=pdf", AINO).status_code == 422
        assert citizen.ask(f"{path}?format=json", AINO).json()["type"] == kind


def test_what_was_known_then(citizen: Citizen) -> None:
    """David said yes, and an hour later no."""
    [offer] = [e for e in citizen.ask("/v1/me/consents", DAVID).json()["consents"] if e["purpose"] == OFFER]
    said_yes, said_no = offer["history"]
    for when in (f"at={said_yes['at']}", f"as_of_index={said_no['index']}"):
        told = citizen.ask(f"/v1/me/consents?{when}", DAVID).json()["consents"]
        assert [e["status"] for e in told if e["purpose"] == OFFER] == ["given"]
        assert citizen.ask(f"/v1/me/uses?{when}", DAVID).json()["uses"] == []
    citizen.ask("/v1/me/rights", DAVID, method="POST", json={"right": "objection"})
    assert citizen.ask(f"/v1/me/rights?as_of_index={said_no['index']}", DAVID).json()["rights"] == []
    assert len(citizen.ask("/v1/me/rights", DAVID).json()["rights"]) == 1
    for wrong in ("at=2026-13-45T00:00:00Z", "at=yesterday", "as_of_index=-1", "as_of_index=x"):
        for path in ("consents", "uses", "rights"):
            assert citizen.ask(f"/v1/me/{path}?{wrong}", DAVID).status_code == 422


def test_one_persons_key_is_not_anothers(citizen: Citizen) -> None:
    assert citizen.say(EEVA, "given", key="1").status_code == 201
    assert citizen.say("invented-fredrik", "given", key="1").status_code == 201
    assert citizen.say(EEVA, "given", DEVELOPMENT, key="1").status_code == 409


def test_a_notice_that_changed_meanwhile_records_nothing(citizen: Citizen) -> None:
    assert citizen.say(EEVA, "given", notice_version=2).json()["type"].endswith("notice-changed")
    assert citizen.say(EEVA, "given", notice_version=1.0, language="sv").status_code == 201  # JSON has one 1


def test_my_uses_and_what_left_me_out(citizen: Citizen) -> None:
    told = citizen.ask("/v1/me/uses", AINO).json()
    assert [use["run"] for use in told["uses"]] == [SCORING, TRAINING]
    assert told["not_proved"][0] == "No ledger can show a use that was not recorded."
    (refused,) = [use for use in citizen.ask("/v1/me/uses", CARITA).json()["uses"] if use["run"] == SCORING]
    assert refused["left_out_because"] == "Left out because you said no"
    assert citizen.ask("/v1/me/uses", EEVA).json()["uses"] == []


def test_why(citizen: Citizen) -> None:
    short = citizen.ask(f"/v1/me/uses/{SCORING}/why", BERTIL).json()
    assert short["strongest"][0]["sentence"] == "visits last year (0): spoke against a proposal this time"
    assert short["table"] is None
    full = citizen.ask(f"/v1/me/uses/{SCORING}/why?full=true", BERTIL).json()
    assert [reason["feature"] for reason in full["table"]] == ["visits", "distance"]
    assert (full["score"], full["threshold"]) == (0.2, 0.42)
    assert "privacy@city.example" in full["contest"]
    assert citizen.ask(f"/v1/me/uses/{TRAINING}/why", AINO).json()["explained"] is False


def test_a_receipt_verifies_with_what_is_published(citizen: Citizen) -> None:
    root = citizen.ask("/v1/trust-root").content
    for path in (
        f"/v1/me/receipts/consents/{OFFER}",
        f"/v1/me/receipts/uses/{SCORING}",
        f"/v1/me/receipts/uses/{TRAINING}",
    ):
        answer = citizen.ask(path, AINO)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert verify_receipt(answer.content, root).pinned is False
        assert AINO not in answer.text


def test_what_is_public_needs_no_token(citizen: Citizen, home: Home) -> None:
    assert citizen.ask("/healthz").json() == {"status": "ok"}
    assert citizen.ask("/v1/checkpoint").content == home.checkpoint.read_bytes()
    assert citizen.ask("/v1/trust-root").content == home.trust_root.read_bytes()
    assert len(citizen.ask("/v1/purposes").json()["purposes"]) == 2
    assert citizen.client.get("/openapi.json").json() == DOCUMENT
    for page in ("/docs", "/redoc", "/", "/v1", "/v1/me", "/v1/purposes/"):
        assert citizen.ask(page).status_code == 404


def test_nobody_sees_anothers(citizen: Citizen) -> None:
    for path in ("/v1/me/consents", "/v1/me/uses"):
        mine, other = citizen.ask(path, AINO), citizen.ask(f"{path}?person={AINO}&sub={AINO}", EEVA)
        assert mine.json() != other.json()
    for run in (SCORING, TRAINING, NOBODYS):
        assert citizen.ask(f"/v1/me/uses/{run}/why", EEVA).json()["type"].endswith("unknown-run")
        assert citizen.ask(f"/v1/me/receipts/uses/{run}", EEVA).status_code == 404
    assert citizen.ask(f"/v1/me/receipts/consents/{OFFER}", EEVA).json()["type"].endswith("nothing-on-record")
    assert citizen.ask("/v1/me/receipts/consents/none", AINO).json()["type"].endswith("unknown-purpose")


def test_a_ledger_that_is_gone_is_a_503_and_says_nothing_of_its_place(citizen: Citizen, home: Home) -> None:
    home.database.rename(home.path / "elsewhere.db")
    for path, person in (("/healthz", None), ("/v1/me/uses", AINO), ("/v1/purposes", None)):
        answer = citizen.ask(path, person)
        assert answer.status_code == 503
        assert str(home.path) not in answer.text


def test_a_ledger_that_is_damaged_is_not_answered_from(citizen: Citizen, home: Home) -> None:
    home.database.write_bytes(b"not a database" * 500)
    assert citizen.ask("/v1/me/uses", AINO).json()["type"].endswith("evidence")


def test_a_fault_of_ours_shows_and_logs_nothing_of_anybody(
    home: Home, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Service):
        def ledger(self, *, read_only: bool = True) -> Any:
            raise ValueError(f"{AINO} {read_only}")

    citizen = Citizen(home, clock)
    citizen.client = TestClient(create_app(Broken(home, IDENTITY, clock)), raise_server_exceptions=False)
    with caplog.at_level(logging.DEBUG):
        answer = citizen.ask("/v1/me/uses", AINO)
    assert answer.status_code == 500
    assert AINO not in answer.text + caplog.text
    assert "fault ValueError at test_api.py" in caplog.text


def test_the_log_names_no_person_no_token_and_no_address(
    citizen: Citizen, caplog: pytest.LogCaptureFixture
) -> None:
    token = citizen.token(AINO)
    with caplog.at_level(logging.INFO, logger="luvalla.citizen"):
        citizen.ask(f"/v1/me/uses?access_token={token}&person={AINO}", AINO)
        citizen.ask(f"/v1/me/{AINO}", AINO)
        citizen.say(AINO, "withdrawn")
        citizen.say(AINO, "withdrawn")
        citizen.ask("/v1/me/uses", headers={"Authorization": f"Bearer {token}x"})
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "luvalla.citizen")
    assert "GET /v1/me/uses 200" in logged
    assert "GET (no such address) 404" in logged
    assert "POST /v1/me/consents 201" in logged
    assert not [each for each in (AINO, token, token[:20], "testclient", SCORING) if each in logged]


def test_private_answers_are_kept_by_nobody(citizen: Citizen) -> None:
    answer = citizen.ask("/v1/me/uses", AINO)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert citizen.ask("/v1/checkpoint").headers["cache-control"] == "no-cache"


def test_every_problem_is_said_in_the_readers_language(citizen: Citizen) -> None:
    kinds = [each for each in vars(problems).values() if isinstance(each, problems.Kind)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    titles = {
        language: citizen.ask("/none", language=language).json()["title"] for language in words.LANGUAGES
    }
    assert titles == {"fi": "Ei löydy", "sv": "Finns inte", "en": "Not found"}
