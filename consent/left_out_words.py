"""Why a person was left out of a run, in Finnish, Swedish and English, by the status byte of the use tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.vocabulary import UseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

LEFT_OUT: Final[Mapping[UseStatus, Mapping[str, str]]] = {
    UseStatus.NO_CONSENT: {
        "fi": "Jätettiin pois: sinulta ei ole kirjattua suostumusta",
        "sv": "Utelämnad: du har inget registrerat samtycke",
        "en": "Left out: there is no consent of yours on record",
    },
    UseStatus.REFUSED: {
        "fi": "Jätettiin pois, koska kieltäydyit",
        "sv": "Utelämnad eftersom du sade nej",
        "en": "Left out because you said no",
    },
    UseStatus.WITHDRAWN: {
        "fi": "Jätettiin pois, koska peruit suostumuksesi",
        "sv": "Utelämnad eftersom du återkallade ditt samtycke",
        "en": "Left out because you withdrew your consent",
    },
    UseStatus.EXPIRED: {
        "fi": "Jätettiin pois, koska suostumuksesi voimassaolo oli päättynyt",
        "sv": "Utelämnad eftersom ditt samtycke hade gått ut",
        "en": "Left out because your consent had run out",
    },
    UseStatus.OTHER_VERSION: {
        "fi": "Jätettiin pois, koska suostumuksesi koskee aiempaa tiedotetta",
        "sv": "Utelämnad eftersom ditt samtycke gäller en tidigare version av informationen",
        "en": "Left out because your consent is for another version of the notice",
    },
    UseStatus.ONLY_REQUESTED: {
        "fi": "Jätettiin pois: sinulta on kysytty, mutta et ole vastannut",
        "sv": "Utelämnad: du har tillfrågats men inte svarat",
        "en": "Left out: you were asked and have not answered",
    },
    UseStatus.REVOKED: {
        "fi": "Jätettiin pois, koska suostumuksesi on lopetettu tai todettu pätemättömäksi",
        "sv": "Utelämnad eftersom ditt samtycke har upphävts eller är ogiltigt",
        "en": "Left out because your consent was ended or found not valid",
    },
    UseStatus.NOT_COVERED: {
        "fi": "Jätettiin pois, koska suostumuksesi ei kata tätä käsittelyä",
        "sv": "Utelämnad eftersom ditt samtycke inte omfattar denna behandling",
        "en": "Left out because your consent does not cover this processing",
    },
    UseStatus.OBJECTED: {
        "fi": "Jätettiin pois, koska vastustit tätä käsittelyä",
        "sv": "Utelämnad eftersom du invände mot denna behandling",
        "en": "Left out because you objected to this processing",
    },
    UseStatus.RESTRICTED: {
        "fi": "Jätettiin pois, koska tietojesi käsittelyä on rajoitettu",
        "sv": "Utelämnad eftersom behandlingen av dina uppgifter är begränsad",
        "en": "Left out because the processing of your data is restricted",
    },
    UseStatus.RECORD_LOST: {
        "fi": "Jätettiin pois: osa merkinnöistä on kadonnut, ja suostumus pitää vahvistaa uudelleen",
        "sv": "Utelämnad: en del av registret har gått förlorad, och samtycket måste bekräftas på nytt",
        "en": "Left out: a part of the record was lost, and your consent must be confirmed anew",
    },
}
