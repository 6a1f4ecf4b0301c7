"""Who is asking: a bearer token, checked against the identity provider's keys (RFC 7519, RFC 7517, RFC 8725).

What must hold of a token, in the order in which it is checked:

1. it is signed, by an algorithm of ``ALGORITHMS`` (all asymmetric; ``none`` and HMAC are not there);
2. by a key of the JWKS that is meant for it: the key's ``kid``, ``use`` and ``alg``; without ``kid`` only if there is one key;
3. its ``typ``, if any, is that of a plain or an access token (RFC 8725 s3.11);
4. issuer and audience are ours, it has not run out, and it holds already;
5. the person's claim is a short printable string.

Nothing of a token ever reaches a message or a log.
"""

from __future__ import annotations

import json
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joserfc import errors as jose_errors
from joserfc import jwk, jwt

from consent import fetch
from consent.errors import ConsentInputError, ConsentUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALGORITHMS: Final = ("ES256", "ES384", "RS256", "PS256", "Ed25519", "EdDSA")
TOKEN_TYPES: Final = ("jwt", "at+jwt", "application/at+jwt")
LEEWAY_SECONDS: Final = 30  # clocks of two servers; RFC 7519 s4.1.4: "usually no more than a few minutes"
SMALLEST_RSA_BITS: Final = 2048  # NIST SP 800-131A Rev. 2
LONGEST_TOKEN: Final = 8192  # the usual limit of a whole header block in front of us
LONGEST_PERSON: Final = 128

# A provider's keys are asked for again after ten minutes, so that a key taken out of the JWKS stops counting; when the
# provider does not answer, the old ones serve for an hour, then nobody gets in. An unknown kid asks at most twice a minute.
FRESH_SECONDS: Final = 600.0
STALE_SECONDS: Final = 3600.0
RETRY_SECONDS: Final = 30.0

_PRIVATE_MEMBERS: Final = frozenset(
    {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)  # RFC 7518 s6.2.2, 6.3.2, 6.4.1

# joserfc warns of the name "EdDSA" (RFC 9864); identity providers still use it, and the curve is pinned by the key.
warnings.filterwarnings("ignore", message=".*EdDSA.*", category=jose_errors.SecurityWarning)

Key = jwk.RSAKey | jwk.ECKey | jwk.OKPKey


@dataclass(frozen=True)
class Person:
    """Somebody whose token held. Their id is not shown by ``repr``, so that no log can catch it by accident.

    Attributes:
        id: The person's id as the ledger knows it.
    """

    id: str = field(repr=False)


@dataclass(frozen=True)
class TokenRefused:
    """A token did not hold.

    Attributes:
        reason: One of ``missing``, ``malformed``, ``key``, ``signature``, ``expired``, ``issuer``, ``audience``, ``claims``.
    """

    reason: str


def parse_jwks(document: bytes) -> tuple[Key, ...]:
    """Read the signing keys of a JWKS.

    Args:
        document: The JSON text of a JWK set (RFC 7517 s5).

    Returns:
        The keys that can check a signature of ``ALGORITHMS``; keys of other kinds and for encryption are passed over.

    Raises:
        ConsentInputError: Not a JWK set, private or symmetric keys in it, two keys of one ``kid``, or no usable key.
    """
    hint = "Give the identity provider's public JWKS, the file behind its jwks_uri."
    try:
        members = json.loads(document)["keys"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConsentInputError('the JWKS is not a JSON object with "keys"', hint) from error
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise ConsentInputError('the JWKS\'s "keys" is not a list of keys', hint)
    if any(_PRIVATE_MEMBERS & set(member) for member in members):
        raise ConsentInputError(
            "the JWKS holds a private or a symmetric key: whoever reads it could write tokens",
            "Take the public set; if this file was ever published, the provider's keys must be changed.",
        )
    keys = [key for member in members if (key := _signing_key(member)) is not None]
    named = [key.kid for key in keys if key.kid]
    if len(named) != len(set(named)):
        raise ConsentInputError("two keys of the JWKS have the same kid", hint)
    if not keys:
        raise ConsentInputError(
            f"the JWKS holds no key for {', '.join(ALGORITHMS)} (RSA from {SMALLEST_RSA_BITS} bits)", hint
        )
    return tuple(keys)


def _signing_key(member: dict[str, Any]) -> Key | None:
    if member.get("use", "sig") != "sig" or member.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        key = jwk.import_key(member)
        native = key.public_key
    except (jose_errors.JoseError, ValueError, TypeError, KeyError):
        return None  # RFC 7517 s5: keys with unknown or broken values are ignored
    if not isinstance(key, jwk.RSAKey | jwk.ECKey | jwk.OKPKey):
        return None
    if isinstance(key, jwk.RSAKey) and getattr(native, "key_size", 0) < SMALLEST_RSA_BITS:
        return None
    return key


class KeySource:
    """The identity provider's keys, from a file or a URL; refreshed as the constants above say. Safe between threads.

    Args:
        source: A file's path, or an address (https, or http on loopback).
        clock: Seconds that only grow, for the refresh alone.

    Raises:
        ConsentInputError: The file or the set is not usable.
        ConsentUnavailableError: The provider does not answer.
    """

    def __init__(self, source: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._is_url = source.startswith(("http://", "https://"))
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = self._loaded = clock()
        self._keys = self._load()

    def _load(self) -> tuple[Key, ...]:
        if self._is_url:
            answer = fetch.get(
                self._source, {"Accept": "application/json"}, what="the identity provider's key set"
            )
            if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
                raise ConsentUnavailableError(
                    f"the identity provider's key set answered with status {answer.status}, expected 200",
                    "Check --jwks and the provider; the keys known so far are used for an hour.",
                )
            return parse_jwks(answer.body)
        try:
            return parse_jwks(Path(self._source).read_bytes())
        except OSError as error:
            raise ConsentInputError(
                "the JWKS file cannot be read", "Give a readable file, or an https address."
            ) from error

    def _refresh(self, now: float) -> None:
        self._asked = now
        try:
            self._keys = self._load()
        except (ConsentUnavailableError, ConsentInputError):
            return  # the old keys serve until they are stale
        self._loaded = now

    def _may_ask(self, now: float) -> bool:
        return now - self._asked >= RETRY_SECONDS

    def find(self, kid: str | None) -> Key | None:
        """Find the key a token names; without a name, the only key there is.

        Args:
            kid: The token's ``kid``.

        Returns:
            The key, or None.

        Raises:
            ConsentUnavailableError: The keys are older than an hour and the provider does not answer.
        """
        with self._lock:
            now = self._clock()
            if now - self._loaded >= FRESH_SECONDS and self._may_ask(now):
                self._refresh(now)
            if now - self._loaded > STALE_SECONDS:
                raise ConsentUnavailableError(
                    "the identity provider's key set could not be had for an hour",
                    "Check the provider and the network.",
                )
            found = self._choose(kid)
            if found is None and kid is not None and self._may_ask(now):
                self._refresh(now)
                found = self._choose(kid)
            return found

    def _choose(self, kid: str | None) -> Key | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)


class FixedKeys(KeySource):
    """Keys that live in this process only: for development and tests.

    Args:
        keys: The public keys.
    """

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._keys = keys

    def find(self, kid: str | None) -> Key | None:
        """Find a key; see ``KeySource.find``."""
        return self._choose(kid)


class _NoKeyError(jose_errors.JoseError):
    error = "no_key"


@dataclass(frozen=True)
class Identity:
    """The rule by which tokens are believed.

    Attributes:
        keys: Where the provider's keys come from.
        issuer: The only ``iss`` believed.
        audience: What ``aud`` must be or contain.
        claim: The claim that holds the person's id as the ledger knows it.
    """

    keys: KeySource
    issuer: str
    audience: str
    claim: str = "sub"

    def check(self, token: str, now: int) -> Person | TokenRefused:
        """Check a token.

        Args:
            token: The compact JWS.
            now: Seconds since 1970.

        Returns:
            The person, or why the token does not hold.

        Raises:
            ConsentUnavailableError: The provider's keys cannot be had.
        """
        if not token or len(token) > LONGEST_TOKEN or not token.isascii():
            return TokenRefused("malformed")
        try:
            decoded = jwt.decode(token, self._key, algorithms=list(ALGORITHMS))
        except _NoKeyError:
            return TokenRefused("key")
        except jose_errors.BadSignatureError:
            return TokenRefused("signature")
        except (jose_errors.JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return TokenRefused("malformed")
        kind = decoded.header.get("typ")
        if kind is not None and (not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES):
            return TokenRefused("malformed")
        return self._check_claims(decoded.claims, now)

    def _key(self, header: Any) -> Key:
        headers: Mapping[str, Any] = header.headers()
        kid, algorithm = headers.get("kid"), headers.get("alg")
        if kid is not None and not isinstance(kid, str):
            raise _NoKeyError
        key = self.keys.find(kid)
        if key is None or key.get("alg", algorithm) != algorithm:
            raise _NoKeyError
        return key

    def _check_claims(self, claims: Mapping[str, Any], now: int) -> Person | TokenRefused:
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except jose_errors.ExpiredTokenError:
            return TokenRefused("expired")
        except jose_errors.ClaimError as error:
            return TokenRefused({"iss": "issuer", "aud": "audience"}.get(error.claim, "claims"))
        except (OverflowError, ValueError, TypeError):
            return TokenRefused("claims")
        person = claims.get(self.claim)
        if not isinstance(person, str) or not 0 < len(person) <= LONGEST_PERSON or not person.isprintable():
            return TokenRefused("claims")
        return Person(person)
