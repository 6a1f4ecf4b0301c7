"""Where everything of one installation lives: LUVALLA_HOME and the names inside it; standard library only."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.errors import ConfigurationError, ConsentUnavailableError, HomeMissing

if TYPE_CHECKING:
    from pathlib import Path

CONSENT_SETTINGS = ("origin", "trust_root")
"""Keys that the [consent] table of luvalla.toml must have."""
OPTIONAL_CONSENT_SETTINGS = ("database", "signer", "witnesses", "backup_days")
"""Keys that it may have."""
MOST_BACKUP_DAYS = 29
"""One day of the 30 is left to replace the key-encryption key in."""


@dataclass(frozen=True)
class Home:
    """One installation's folder (mode 700); every property is a path inside it.

    Attributes:
        path: The folder itself, absolute.
    """

    path: Path

    @property
    def config(self) -> Path:
        """luvalla.toml, one table per room."""
        return self.path / "luvalla.toml"

    @property
    def keys(self) -> Path:
        """Folder of secret keys, mode 700; kept out of the database's backups."""
        return self.path / "keys"

    @property
    def pseudonym_key(self) -> Path:
        """32 random bytes: the key of the pseudonyms."""
        return self.keys / "pseudonym"

    @property
    def key_encryption_key(self) -> Path:
        """32 random bytes: the first key that wraps every person's keys; later ones are in the list `key_ring`."""
        return self.keys / "kek"

    @property
    def key_ring(self) -> Path:
        """keks.json, the list of the key-encryption keys and their dates."""
        return self.keys / "keks.json"

    @property
    def log_key(self) -> Path:
        """Ed25519 private key (PKCS8 PEM) that signs checkpoints."""
        return self.keys / "log.pem"

    @property
    def root_key(self) -> Path:
        """Ed25519 private key (PKCS8 PEM) that signs versions of the trust root."""
        return self.keys / "root.pem"

    @property
    def trust_root(self) -> Path:
        """trust-root.json, public."""
        return self.path / "trust-root.json"

    @property
    def purposes(self) -> Path:
        """purposes.toml, the governed file of purposes and notices."""
        return self.path / "purposes.toml"

    @property
    def database(self) -> Path:
        """The ledger's SQLite file."""
        return self.path / "ledger.db"

    @property
    def checkpoint(self) -> Path:
        """The last signed checkpoint, kept outside the database."""
        return self.path / "checkpoint"

    @property
    def erasure_journal(self) -> Path:
        """The erasures, outside the database, to be replayed after a restore."""
        return self.path / "erasures.journal"

    @property
    def number_floor(self) -> Path:
        """From which number on people got theirs after the last refill, outside the database; only after one."""
        return self.path / "number-floor"

    @property
    def receipts(self) -> Path:
        """Folder for receipts written for people."""
        return self.path / "receipts"

    @property
    def outbox(self) -> Path:
        """Folder (mode 700) of output that is not released yet."""
        return self.path / "outbox"


@dataclass(frozen=True)
class ConsentSettings:
    """The [consent] table of luvalla.toml.

    Attributes:
        origin: The log's name (C2SP origin), e.g. `city.example/consent`.
        trust_root: `sha256:...` of version 1 of the trust root.
        database: `postgresql://...` of the ledger, its password only by reference (docs/ledger/databases.md);
            None: the SQLite file of the home.
        witnesses: Addresses of the witnesses that are asked to cosign, `https://...`; whose cosignatures count is in
            the trust root.
        backup_days: For how many days a backup can be restored at least, 1 to 29; the key-encryption key is to be replaced
            after the rest of 30 days (docs/ledger/erasure.md).
        signer: `unix:/path` of the process that signs the log's checkpoints (docs/ledger/signer.md); None: the key in
            the home.
    """

    origin: str
    trust_root: str
    database: str | None = None
    witnesses: tuple[str, ...] = ()
    backup_days: int = 15
    signer: str | None = None


def open_home(path: Path) -> Home:
    """The home at `path`.

    Raises:
        HomeMissing: There is no luvalla.toml there.
    """
    home = Home(path.absolute())
    if not home.config.is_file():
        raise HomeMissing(
            f"there is no luvalla home at {path}",
            "run `luvalla init`, or set LUVALLA_HOME to the folder of an existing one",
        )
    return home


def read_settings(home: Home) -> ConsentSettings:
    """The [consent] table of the home's luvalla.toml.

    Raises:
        HomeMissing: There is no luvalla.toml.
        ConfigurationError: The file is not TOML, or the table lacks a key, has an unknown one, or a value that is not text.
        ConsentUnavailableError: The file cannot be read.
    """
    try:
        text = home.config.read_text(encoding="utf-8")
    except FileNotFoundError:
        open_home(home.path)
        raise
    except OSError as error:
        raise ConsentUnavailableError(
            f"cannot read {home.config}: {error.strerror}", "check the file's owner and mode"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{home.config} is not TOML: {error}", "correct the file") from error
    return parse_settings(home, text)


def parse_settings(home: Home, text: str) -> ConsentSettings:
    """The [consent] table of a text that is, or is to be, the home's luvalla.toml.

    Raises:
        ConfigurationError: As `read_settings`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{home.config} is not TOML: {error}", "correct the file") from error
    table = document.get("consent")
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"{home.config} has no table [consent]", "restore the table that `luvalla init` wrote"
        )
    known = (*CONSENT_SETTINGS, *OPTIONAL_CONSENT_SETTINGS)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise ConfigurationError(f"{home.config} has an unknown key `{key}` in [consent]", hint)
    values = [table.get(key) for key in CONSENT_SETTINGS]
    if not all(isinstance(value, str) and value for value in values):
        raise ConfigurationError(
            f"{home.config} lacks {' or '.join(CONSENT_SETTINGS)} in [consent]",
            "restore the table that `luvalla init` wrote",
        )
    database = table.get("database")
    if database is not None and not (isinstance(database, str) and database):
        raise ConfigurationError(
            f"`database` in [consent] of {home.config} is not a URL", "use postgresql://USER@HOST/DATABASE"
        )
    signer = table.get("signer")
    if signer is not None and not (isinstance(signer, str) and signer):
        raise ConfigurationError(
            f"`signer` in [consent] of {home.config} is not an address",
            'write signer = "unix:/path/of/the/socket"',
        )
    witnesses = table.get("witnesses", [])
    if not isinstance(witnesses, list) or not all(isinstance(url, str) and url for url in witnesses):
        raise ConfigurationError(
            f"`witnesses` in [consent] of {home.config} is not a list of addresses",
            'write witnesses = ["https://witness.example"]',
        )
    days = table.get("backup_days", ConsentSettings.backup_days)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_BACKUP_DAYS:
        raise ConfigurationError(
            f"`backup_days` in [consent] of {home.config} is not a number from 1 to {MOST_BACKUP_DAYS}",
            "write e.g. backup_days = 15: what was erased is unreadable in backups after at most 30 days",
        )
    return ConsentSettings(str(values[0]), str(values[1]), database, tuple(witnesses), days, signer)
