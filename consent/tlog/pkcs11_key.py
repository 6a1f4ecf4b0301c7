"""A log's key in a hardware token or HSM, through its PKCS#11 library: `note.Signs` whose private half nobody can read.

Needs the extra `pkcs11` (PyPI python-pkcs11). Mechanism CKM_EDDSA with an Ed25519 key, without prehash or context
(PKCS#11 3.0, 2.3.14 and 2.3.15).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from consent.errors import ConsentInputError, ConsentUnavailableError, KeyFileError
from consent.tlog.note import PUBLIC_KEY_BYTES, VerifierKey, is_key_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SIGNATURE_BYTES: Final = 64
_OCTET_STRING: Final = bytes((0x04, PUBLIC_KEY_BYTES))
"""CKA_EC_POINT is the DER of an OCTET STRING in most libraries, and its content alone in some."""


@dataclass
class TokenKey:
    """An Ed25519 key in a token; its text form shows no secret.

    The session is opened at the first use and kept; after an error it is opened anew, so a token that was taken out and
    put back signs again.

    Args:
        name: The name it signs under.
        module: The token's PKCS#11 library, e.g. `/usr/lib/softhsm/libsofthsm2.so`.
        token: The token's label.
        label: The label (CKA_LABEL) of the key pair.
        pin: The user's PIN.
    """

    name: str
    module: Path
    token: str
    label: str
    pin: str = field(repr=False)
    _session: Any = field(default=None, repr=False)
    _private: Any = field(default=None, repr=False)
    _verifier: VerifierKey | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a key's.

        Raises:
            KeyFileError: It is none.
        """
        if not is_key_name(self.name):
            raise KeyFileError(
                "a key's name must be printable, without white space or plus", "use a log's origin"
            )

    @property
    def verifier(self) -> VerifierKey:
        """The public half, read from the token once.

        Raises:
            ConsentInputError: The extra is not installed, or there is no such library, token or key, or a wrong PIN (exit 2).
            ConsentUnavailableError: The token does not answer (4).
        """
        if self._verifier is None:
            point = self._in_session(self._public_point)
            self._verifier = VerifierKey(self.name, point)
        return self._verifier

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of RFC 8032, verified before it leaves.

        Raises:
            ConsentInputError: As `verifier`.
            ConsentUnavailableError: The token does not answer, or what it made does not verify (4).
        """
        signature = self._in_session(lambda lib: self._private.sign(message, mechanism=lib.Mechanism.EDDSA))
        if len(signature) != _SIGNATURE_BYTES or not self.verifier.verifies(signature, message):
            raise ConsentUnavailableError(
                f"the token {self.token} made a signature that its key {self.label} does not verify",
                "the token is faulty, or its private and public key are of two pairs",
            )
        return bytes(signature)

    def close(self) -> None:
        """End the session, and with it the login."""
        with self._lock:
            session, self._session, self._private = self._session, None, None
            if session is not None:
                session.close()

    def _in_session(self, do: Callable[[Any], Any]) -> Any:
        lib = _library()
        with self._lock:
            try:
                if self._session is None:
                    self._open(lib)
                return do(lib)
            except (
                lib.NoSuchKey,
                lib.NoSuchToken,
                lib.MultipleObjectsReturned,
                lib.MultipleTokensReturned,
            ) as error:
                self._drop(lib)
                raise ConsentInputError(
                    f"the library {self.module} has no single token {self.token} with one Ed25519 key {self.label}",
                    "see docs/ledger/signer.md, `A key in a token`; `pkcs11-tool --list-objects` lists them",
                ) from error
            except (lib.PinIncorrect, lib.PinInvalid, lib.PinLenRange, lib.PinLocked) as error:
                self._drop(lib)
                raise ConsentInputError(
                    f"the token {self.token} does not take this PIN ({type(error).__name__})",
                    "correct the PIN's file; after some wrong ones a token locks itself",
                ) from error
            except (lib.PKCS11Error, RuntimeError) as error:
                self._drop(lib)
                raise ConsentUnavailableError(
                    f"the token {self.token} does not answer ({type(error).__name__})",
                    "check that it is there and its service runs; then try again",
                ) from error

    def _open(self, lib: Any) -> None:
        token = lib.lib(str(self.module)).get_token(token_label=self.token)
        self._session = token.open(user_pin=self.pin)
        self._private = self._session.get_key(
            object_class=lib.ObjectClass.PRIVATE_KEY, key_type=lib.KeyType.EC_EDWARDS, label=self.label
        )

    def _public_point(self, lib: Any) -> bytes:
        public = self._session.get_key(
            object_class=lib.ObjectClass.PUBLIC_KEY, key_type=lib.KeyType.EC_EDWARDS, label=self.label
        )
        point = bytes(public[lib.Attribute.EC_POINT])
        if len(point) == PUBLIC_KEY_BYTES + len(_OCTET_STRING):
            point = point.removeprefix(_OCTET_STRING)
        if len(point) != PUBLIC_KEY_BYTES:
            raise ConsentInputError(
                f"the key {self.label} of the token {self.token} is not Ed25519",
                "make one with `EC:edwards25519`",
            )
        return point

    def _drop(self, lib: Any) -> None:
        """Forget the session; a token that is gone cannot even close it."""
        try:
            self.close()
        except (lib.PKCS11Error, RuntimeError):
            return


def _library() -> Any:
    """python-pkcs11, with its errors in one name space."""
    try:
        import pkcs11  # noqa: PLC0415 - an extra: only a signer with a token loads it
    except ImportError as error:
        raise ConsentInputError(
            "this installation has no PKCS#11",
            "install luvalla with the extra: pip install 'luvalla[pkcs11]'",
        ) from error
    return pkcs11
