"""Why whoever answers has no standing to, by the code of `TransitionRefused`, in Finnish, Swedish and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.return_rule import NO_RETURN

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_STANDING: Final[Mapping[str, Mapping[str, str]]] = {
    "no-authority": {
        "fi": "Kirjaa, mihin toisen puolesta annettu suostumus perustuu",
        "sv": "Anteckna vad ett samtycke för någon annans räkning grundar sig på",
        "en": "Record what a consent on behalf of somebody else rests on",
    },
    "under-age": {
        "fi": "Alle 13-vuotiaan puolesta suostumuksen antaa huoltaja",
        "sv": "För den som är under 13 år ger vårdnadshavaren samtycket",
        "en": "For a person under 13 a guardian gives the consent",
    },
    "no-majority": {
        "fi": "Kirjaa päivä, jona nuori tulee täysi-ikäiseksi: huoltajan suostumus päättyy silloin",
        "sv": "Anteckna dagen då den unga blir myndig: vårdnadshavarens samtycke upphör då",
        "en": "Record the day on which the young person comes of age: a guardian's consent ends then",
    },
    "of-age": {
        "fi": "Täysi-ikäinen vastaa itse",
        "sv": "Den som är myndig svarar själv",
        "en": "A person of age answers themselves",
    },
    "own-say-opposed": {
        "fi": "Nuori vastustaa: huoltajan suostumusta ei kirjata",
        "sv": "Den unga motsätter sig: vårdnadshavarens samtycke registreras inte",
        "en": "The young person is opposed: the guardian's consent is not recorded",
    },
    "own-no-stands": {
        "fi": "Nuoren oma kielto on voimassa: huoltajan suostumus edellyttää nuoren omaa hyväksyntää",
        "sv": "Den ungas eget nej gäller: vårdnadshavarens samtycke kräver att den unga själv går med på det",
        "en": "The young person's own no stands: a guardian's consent needs their agreement",
    },
    "no-return": NO_RETURN,
}
