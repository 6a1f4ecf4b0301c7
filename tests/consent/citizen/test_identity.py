"""Whose token is believed, and whose is not."""

from __future__ import annotations

import base64
import hmac
import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwk, jwt

from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.web import identity
from consent.web.identity import FixedKeys, Identity, KeySource, Person, TokenRefused, parse_jwks
from tests.consent.loopback import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_800_000_000
ISSUER, AUDIENCE, PERSON = "https://id.invalid", "luvalla", "invented-person-7"
EC = jwk.ECKey.generate_key("P-256", parameters={"kid": "ec"})
RSA = jwk.RSAKey.generate_key(2048, parameters={"kid": "rsa"})
OKP = jwk.OKPKey.generate_key("Ed25519", parameters={"kid": "okp"})


def public(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def rule(*keys: Any, **changes: str) -> Identity:
    return Identity(FixedKeys(parse_jwks(public(*(keys or (EC, RSA, OKP))))), ISSUER, AUDIENCE, **changes)


def claims(**changes: Any) -> dict[str, Any]:
    told = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60, "sub": PERSON} | changes
    return {name: value for name, value in told.items() if value is not None}


def token(said: dict[str, Any] | None = None, *, key: Any = EC, **header: Any) -> str:
    head = {"alg": "ES256", "kid": key.kid} | header
    return jwt.encode(
        {name: value for name, value in head.items() if value is not None},
        said or claims(),
        key,
        algorithms=[head["alg"]],
    )


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("key", "algorithm"), [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (OKP, "Ed25519"), (OKP, "EdDSA")]
)
def test_a_good_token_names_its_person(key: Any, algorithm: str) -> None:
    assert rule().check(token(key=key, alg=algorithm), NOW) == Person(PERSON)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (claims(exp=NOW - identity.LEEWAY_SECONDS), "expired"),
        (claims(exp=None), "claims"),
        (claims(exp=True), "claims"),
        (claims(exp=str(NOW + 60)), "claims"),
        (claims(nbf=NOW + 3600), "claims"),
        (claims(iat=NOW + 3600), "claims"),
        (claims(iss="https://else.invalid"), "issuer"),
        (claims(iss=None), "issuer"),
        (claims(iss=[ISSUER]), "issuer"),
        (claims(aud="another"), "audience"),
        (claims(aud=["another", "third"]), "audience"),
        (claims(aud=None), "audience"),
        (claims(sub=None), "claims"),
        (claims(sub=""), "claims"),
        (claims(sub=17), "claims"),
        (claims(sub="a\nb"), "claims"),
        (claims(sub="x" * 129), "claims"),
    ],
)
def test_a_claim_that_does_not_hold_refuses(said: dict[str, Any], reason: str) -> None:
    assert rule().check(token(said), NOW) == TokenRefused(reason)


def test_one_of_several_audiences_is_enough_and_clocks_may_differ_a_little() -> None:
    assert rule().check(token(claims(aud=["another", AUDIENCE], exp=NOW - 1)), NOW) == Person(PERSON)


def test_the_persons_claim_is_configurable() -> None:
    assert rule(claim="national_id").check(token(claims(national_id="else")), NOW) == Person("else")
    assert rule(claim="national_id").check(token(), NOW) == TokenRefused("claims")


def test_no_algorithm_is_no_signature() -> None:
    for algorithm in ("none", "None", "nOnE"):
        for kid in ({}, {"kid": "ec"}):
            unsigned = f"{b64({'alg': algorithm, **kid})}.{b64(claims())}."
            assert isinstance(rule().check(unsigned, NOW), TokenRefused)


def test_a_public_key_is_no_hmac_secret() -> None:
    signed = f"{b64({'alg': 'HS256', 'kid': 'rsa'})}.{b64(claims())}"
    forged = f"{signed}.{b64(hmac.digest(RSA.as_pem(private=False), signed.encode(), 'sha256'))}"
    assert rule().check(forged, NOW) == TokenRefused("malformed")


def test_a_strangers_key_does_not_sign_for_us() -> None:
    stranger = jwk.ECKey.generate_key("P-256", parameters={"kid": "ec"})
    assert rule().check(token(key=stranger), NOW) == TokenRefused("signature")


def test_a_key_carried_in_the_token_is_not_believed() -> None:
    stranger = jwk.ECKey.generate_key("P-256", parameters={"kid": "ec"})
    carried = token(key=stranger, jwk=stranger.as_dict(private=False))
    assert isinstance(rule().check(carried, NOW), TokenRefused)


def test_a_key_is_used_for_its_own_algorithm_only() -> None:
    pinned = jwk.RSAKey.import_key(RSA.as_dict(private=True) | {"alg": "RS256", "kid": "pinned"})
    assert rule(pinned).check(token(key=pinned, alg="RS256"), NOW) == Person(PERSON)
    other = jwk.RSAKey.import_key(RSA.as_dict(private=True) | {"kid": "pinned"})
    assert rule(pinned).check(token(key=other, alg="PS256"), NOW) == TokenRefused("key")


def test_without_a_kid_only_an_only_key_serves() -> None:
    assert rule(EC).check(token(kid=None), NOW) == Person(PERSON)
    assert rule(EC, RSA).check(token(kid=None), NOW) == TokenRefused("key")
    assert rule(EC).check(token(kid="else"), NOW) == TokenRefused("key")


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", ""])
def test_a_token_of_another_type_is_no_access_token(kind: str) -> None:
    assert rule().check(token(typ=kind), NOW) == TokenRefused("malformed")


def test_an_unknown_critical_header_refuses() -> None:
    head = {"alg": "ES256", "kid": "ec", "crit": ["luvalla"], "luvalla": 1}
    assert isinstance(rule().check(f"{b64(head)}.{b64(claims())}.{b64(bytes(64))}", NOW), TokenRefused)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "ä.ö.å", "x" * 9000, "[" * 5000, f"{'[' * 3000}.e30.AA"]
)
def test_what_is_no_token_is_refused_quietly(text: str) -> None:
    assert rule().check(text, NOW) == TokenRefused("malformed")


def test_every_changed_character_of_a_token_is_noticed() -> None:
    good = token()
    for place in range(0, len(good) - 1, 7):  # the last character carries unused bits
        changed = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        assert isinstance(rule().check(changed, NOW), TokenRefused)


def test_a_person_is_not_shown_by_accident() -> None:
    assert PERSON not in repr(rule().check(token(), NOW))


@pytest.mark.parametrize(
    ("document", "match"),
    [
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"keys": {}}', "not a list"),
        (b'{"keys": [7]}', "not a list"),
        (b'{"keys": []}', "no key for"),
        (json.dumps({"keys": [EC.as_dict(private=True)]}).encode(), "private or a symmetric"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "private or a symmetric"),
        (public(EC, EC), "same kid"),
        (
            b'{"keys": [{"kty": "RSA", "e": "AQAB", "n": "%s"}]}' % (b"v" * 170),
            "no key for",
        ),  # about 1,020 bits
        (b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}', "no key for"),
        (json.dumps({"keys": [EC.as_dict(private=False) | {"use": "enc"}]}).encode(), "no key for"),
    ],
)
def test_a_key_set_that_cannot_be_trusted_is_refused(document: bytes, match: str) -> None:
    with pytest.raises(ConsentInputError, match=match):
        parse_jwks(document)


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConsentInputError, match="cannot be read"):
        KeySource(str(tmp_path / "none.json"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_of_keys_is_read_again_for_an_unknown_kid(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", Clock()
    file.write_bytes(public(EC))
    keys = KeySource(str(file), clock=clock)
    file.write_bytes(public(EC, RSA))
    assert keys.find("rsa") is None  # asked for too soon: a stranger's kid must not make us ask at will
    clock.now = identity.RETRY_SECONDS
    assert keys.find("rsa") is not None


def test_a_key_taken_out_stops_counting(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", Clock()
    file.write_bytes(public(EC, RSA))
    keys = KeySource(str(file), clock=clock)
    file.write_bytes(public(RSA))
    clock.now = identity.FRESH_SECONDS
    assert keys.find("ec") is None


def test_old_keys_serve_an_hour_and_no_longer(tmp_path: Path) -> None:
    file, clock = tmp_path / "jwks.json", Clock()
    file.write_bytes(public(EC))
    keys = KeySource(str(file), clock=clock)
    file.write_bytes(b"broken")
    clock.now = identity.STALE_SECONDS
    assert keys.find("ec") is not None
    clock.now += 1
    with pytest.raises(ConsentUnavailableError, match="for an hour"):
        keys.find("ec")
    file.write_bytes(public(EC))
    clock.now += identity.RETRY_SECONDS
    assert keys.find("ec") is not None


@pytest.fixture
def provider() -> Iterator[tuple[str, dict[str, Any]]]:
    """A tiny identity provider on loopback: it answers what the test puts into the dictionary."""
    answer: dict[str, Any] = {"status": 200, "body": public(EC), "location": None}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            if answer["location"]:
                self.send_header("Location", answer["location"])
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_args: object) -> None:
            return

    with served(Handler) as address:
        yield f"{address}/jwks", answer


def test_keys_come_from_an_address(provider: tuple[str, dict[str, Any]]) -> None:
    assert KeySource(provider[0]).find("ec") is not None


def test_a_redirect_of_the_key_set_is_not_followed(provider: tuple[str, dict[str, Any]]) -> None:
    provider[1].update(status=302, location=provider[0])
    with pytest.raises(ConsentUnavailableError, match="status 302"):
        KeySource(provider[0])


def test_plain_http_off_this_machine_is_refused() -> None:
    with pytest.raises(ConsentInputError, match="plain http"):
        KeySource("http://id.example/jwks")
