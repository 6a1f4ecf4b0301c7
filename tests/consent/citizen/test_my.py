"""luvalla serve citizen and luvalla my, over a real socket; and the client against servers that are not ours."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwk

from consent import answers
from tests.consent.real_program import PROGRAM, save_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consent.home import Home
OFFER = "health-benefit.offer"
SCORING, TRAINING = "AAECAwQFBgcICQoLDA0ODw", "--8AAQIDBAUGBwgJCgsMDQ"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what must be refused
MACHINE_LEARNING = ("mlflow", "sklearn", "numpy", "pandas", "shap", "scipy", "pyarrow")


def test_a_citizen_fetches_receipts(
    server: Server, home: Home, luvalla: Callable[..., Any], tmp_path: Path
) -> None:
    where = ("--api", server.address, "--token-file", home.path / "development.token")
    for what in (("--purpose", OFFER), ("--run", SCORING)):
        file, page = tmp_path / f"{what[0]}.json", tmp_path / f"{what[0]}.html"
        told = luvalla("my", "receipt", file, *what, *where, "--json")
        assert (told.code, told.json["file"]) == (0, str(file))
        assert file.stat().st_mode & 0o777 == 0o600
        assert luvalla("verify", file).code == 0
        assert luvalla("my", "receipt", page, *what, *where, "--format", "html", "--language", "sv").code == 0
        assert '<html lang="sv">' in page.read_text()
        assert luvalla("my", "receipt", page, *what, *where).code == 2  # nothing is replaced
    new = tmp_path / "new"
    for wrong in (
        (),
        ("--purpose", OFFER, "--run", SCORING),
        ("--purpose", "none/../x"),
        ("--run", "A" * 22),
    ):
        assert luvalla("my", "receipt", new, *wrong, *where).code == 2
        assert not new.exists()


class Server:
    """A running `luvalla serve citizen`."""

    def __init__(self, process: subprocess.Popen[str], said: str) -> None:
        self.process = process
        self.said = said
        self.address = re.search(r"is at (\S+);", said)[1]

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=20)
        return err


def serve(home: Home, *options: str) -> Server:
    process = subprocess.Popen(
        [PROGRAM, "--home", home.path, "serve", "citizen", "--port", "0", *options],
        cwd=home.path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    while "stop it with Ctrl-C" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return Server(process, said)


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    running = serve(home, "--development", "--person", "invented-aino")
    yield running
    if running.process.poll() is None:
        running.stop()


def test_a_citizen_asks_from_another_process_and_is_answered(
    server: Server, home: Home, luvalla: Callable[..., Any]
) -> None:
    token_file = home.path / "development.token"
    token = token_file.read_text().strip()
    assert "INVENTED PERSON, DEVELOPMENT ONLY" in server.said
    assert token in server.said
    where = ("--api", server.address, "--token-file", token_file)
    consents = luvalla("my", "consents", *where, "--language", "fi")
    assert consents.code == 0, consents
    assert "Suostumus annettu" in consents.out
    uses = luvalla("my", "uses", *where, "--json").json
    assert [use["run"] for use in uses["uses"]] == [SCORING, TRAINING]
    assert uses == luvalla("consent", "uses", "--person", "invented-aino", "--json").json
    why = luvalla("my", "why", SCORING, *where, "--language", "sv")
    assert "- besök i fjol (3): talade för ett förslag" in why.out
    assert "En människa beslutar" in why.out
    full = luvalla("my", "why", SCORING, *where, "--full")
    assert "Everything that counted:" in full.out
    assert "plus for it, minus against it" in full.out
    assert len(luvalla("my", "why", SCORING, *where, "--json").json["table"]) == 2
    for order in ((TRAINING, *where), (*where, TRAINING)):
        dashed = luvalla("my", "why", *order)
        assert dashed.code == 0, dashed
        assert "no result for anyone" in dashed.out
    assert luvalla("my", "why", "AAAAAAAAAAAAAAAAAAAAAA", *where).code == 2
    for said in (("objection", "--processing", "scoring", "--request-id", "r"), ("objection-withdrawn",)):
        assert luvalla("my", "right", *said, *where).code == 0
    assert luvalla("my", "right", "objection", "--request-id", "r", *where).code == 2
    assert luvalla("my", "right", "rectification", *where).code == 2
    rights = luvalla("my", "rights", *where, "--language", "sv")
    assert [line.partition("UTC  ")[2].partition(" (")[0] for line in rights.out.splitlines() if "UTC" in line] == [
        "Invändning: registrerad", "Återkallad invändning: registrerad",
    ]  # fmt: skip
    listed = luvalla("my", "rights", *where, "--json").json
    for then in (("--as-of-index", "0"), ("--at", "2020-01-01")):
        assert luvalla("my", "rights", *then, *where, "--json").json == {"rights": [], "standing": []}
        assert luvalla("my", "uses", *then, *where, "--json").json["uses"] == []
        assert luvalla("my", "consents", *then, *where, "--json").json["consents"] == []
    assert listed["rights"][0]["processing"] == ["scoring"]
    copy, page = home.receipts / "mine.json", home.receipts / "mine.html"
    made = luvalla("my", "export", copy, "--page", page, *where, "--json")
    assert "Uses of the data" in page.read_text(encoding="utf-8")
    assert (made.code, made.json["right"]) == (0, "access")
    document = json.loads(copy.read_text())
    assert (document["record"]["digest"], len(document["receipts"]["uses"])) == (made.json["digest"], 2)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert luvalla("my", "export", copy, *where).code == 2
    err = server.stop()
    assert server.process.returncode == 0
    assert "GET /v1/me/uses 200" in err
    assert not [each for each in (token, "aino", "127.0.0.1", SCORING) if each in err]
    assert not token_file.exists()
    gone = luvalla("my", "uses", "--api", server.address, "--token-file", save_token(home.path / "t", token))
    assert gone.code == 4
    assert token not in str(vars(gone.error))


def test_a_real_login_is_needed_without_development(
    home: Home, tmp_path: Path, luvalla: Callable[..., Any]
) -> None:
    jwks = tmp_path / "jwks.json"
    key = jwk.ECKey.generate_key("P-256", parameters={"kid": "a"})
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    running = serve(home, "--jwks", str(jwks), "--issuer", "https://id.invalid", "--audience", "luvalla")
    try:
        refused = luvalla(
            "my", "uses", "--api", running.address, "--token-file", save_token(tmp_path / "t", "a.b.c")
        )
        assert refused.code == 2
        assert "The login does not hold" in refused.error.message
    finally:
        running.stop()
    assert "DEVELOPMENT" not in running.said


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ((), "--jwks, --issuer and --audience"),
        (("--jwks", "x"), "--jwks, --issuer and --audience"),
        (("--development", "--host", EVERYWHERE), "not loopback"),
        (("--development", "--host", "example.org"), "not loopback"),
        (("--development", "--issuer", "x"), "makes its own login"),
        (("--development", "--person", "131052-308T"), "could be somebody's"),
        (("--host", EVERYWHERE, "--jwks", "x", "--issuer", "x", "--audience", "x"), "--behind-tls-proxy"),
    ],
)
def test_a_server_that_would_be_open_is_not_started(
    luvalla: Callable[..., Any], options: tuple[str, ...], part: str
) -> None:
    told = luvalla("serve", "citizen", *options)
    assert told.code == 2
    assert part in " ".join(told.err.split())
    assert "131052-308T" not in told.err


def test_files_that_are_no_tls_pair_are_told(luvalla: Callable[..., Any], home: Home) -> None:
    told = luvalla(
        "serve", "citizen", "--development", "--tls-certificate", home.config, "--tls-key", home.log_key
    )
    assert told.code == 2
    assert "TLS certificate" in told.error.message


def test_an_artificial_identity_code_may_be_tried(home: Home) -> None:
    running = serve(home, "--development", "--person", "010203-9018")
    running.stop()
    assert "010203-9018" in running.said


def test_a_port_in_use_is_told(server: Server, luvalla: Callable[..., Any]) -> None:
    port = server.address.rpartition(":")[2]
    told = luvalla("serve", "citizen", "--development", "--port", port)
    assert told.code == 4
    assert "cannot listen" in told.error.message


def test_no_machine_learning_is_loaded_by_the_server(home: Home) -> None:
    code = (
        "import sys, cli, consent.serve_command, consent.my_commands, consent.ledger\n"
        "from consent.home import open_home; from consent.web.app import create_app; from pathlib import Path\n"
        "from consent.web.api import Service\n"
        f"with consent.ledger.Ledger.open(open_home(Path({str(home.path)!r}))) as l: l.uses('invented-aino')\n"
        "create_app(Service(None, None))\n"
        f"print([n for n in {MACHINE_LEARNING} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_whose_people_were_lost_is_told_and_asking_for_it_is_an_answer_of_its_own(
    server: Server, home: Home, luvalla: Callable[..., Any]
) -> None:
    with closing(sqlite3.connect(home.database)) as connection:
        for table in ("use_slot", "use_values", "use_chunk", "use_run"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (answers.parse_run(SCORING),))  # noqa: S608 - names above
        connection.commit()
    where = ("--api", server.address, "--token-file", home.path / "development.token")
    told = luvalla("my", "uses", *where, "--json").json
    assert [each["run"] for each in told["uses"]] == [TRAINING]
    assert [each["run"] for each in told["lost"]] == [SCORING]
    assert told == luvalla("consent", "uses", "--person", "invented-aino", "--json").json
    assert "Kukaan ei voi sanoa" in luvalla("my", "uses", *where, "--language", "fi").out
    assert "Ingen kan säga" in luvalla("my", "uses", *where, "--language", "sv").out
    lost = luvalla("my", "why", SCORING, *where, "--language", "en")
    assert lost.code == 3
    assert "whom it was about is lost" in lost.error.message
    assert luvalla("consent", "why", "--person", "invented-aino", "--run", SCORING).code == 3
