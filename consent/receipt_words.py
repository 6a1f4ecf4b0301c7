"""Words in Finnish, Swedish and English on a receipt that people read; a 16-year-old should understand each sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from consent.words import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.words import Texts

_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    # headings
    "consent": ("Kuitti vastauksesta", "Kvitto på ett svar", "Receipt of an answer"),
    "use": ("Kuitti tietojen käytöstä", "Kvitto på användning av uppgifter", "Receipt of a use of data"),
    "about": ("Mistä on kyse", "Vad det gäller", "What it is about"),
    "answer": ("Vastaus", "Svaret", "The answer"),
    "run": ("Käyttö", "Användningen", "The use"),
    "values": (
        "Tiedot, joita tässä käytettiin",
        "Uppgifter som användes här",
        "The data that was used here",
    ),
    "why": ("Mikä vaikutti eniten", "Vad som påverkade mest", "What counted most"),
    "table": (
        "Kaikki tiedot, vahvin ensin. Suluissa oleva luku kertoo, kuinka paljon tieto vaikutti ja kumpaan suuntaan.",
        "Alla uppgifter, den starkaste först. Talet inom parentes visar hur mycket uppgiften påverkade och åt vilket håll.",
        "All the data, the strongest first. The number in brackets tells how much it counted, and in which direction.",
    ),
    "no-explanation": (
        "Kuitissa ei ole asiakirjaa, joka kertoisi, mitä arvot tarkoittavat. Arvot ovat tässä niin kuin ne on tallennettu.",
        "I kvittot finns inget dokument som berättar vad värdena betyder. Värdena står här så som de har sparats.",
        "The receipt has no document that says what the values mean. The values stand here as they were kept.",
    ),
    "does-not-fit": (
        "Kuitin selitys ei sovi arvoihin. Arvot ovat tässä niin kuin ne on tallennettu. Kysy kaupungilta, mitä ne tarkoittavat.",
        "Kvittots förklaring passar inte ihop med värdena. Värdena står här så som de har sparats. Fråga staden vad de betyder.",
        "The explanation in the receipt does not fit the values. They stand here as they were kept. Ask the city what they mean.",
    ),
    "notice": (
        "Näin asiasta kerrottiin ennen vastausta, sanasta sanaan",
        "Så här berättades det om saken före svaret, ordagrant",
        "What was told before the answer, word for word",
    ),
    "can": ("Mitä voit tehdä", "Vad du kan göra", "What you can do"),
    "check": ("Näin tarkistat kuitin", "Så kontrollerar du kvittot", "How to check this receipt"),
    "proved": ("Mitä kuitti todistaa", "Vad kvittot bevisar", "What the receipt proves"),
    "not-proved": ("Mitä kuitti ei todista", "Vad kvittot inte bevisar", "What the receipt does not prove"),
    "numbers": ("Tarkistajan tiedot", "Uppgifter för den som kontrollerar", "Facts for whoever checks"),
    # what an answer means
    "may": (
        "Tietojasi saa käyttää tähän tarkoitukseen {until} asti. Voit muuttaa mielesi milloin tahansa.",
        "Dina uppgifter får användas för detta ändamål till {until}. Du kan ändra dig när som helst.",
        "Your data may be used for this purpose until {until}. You can change your mind at any time.",
    ),
    "may-not": (
        "Tietojasi ei saa käyttää tähän tarkoitukseen.",
        "Dina uppgifter får inte användas för detta ändamål.",
        "Your data may not be used for this purpose.",
    ),
    "as-of": (
        "Näin kirjattiin {day}. Myöhempi vastaus ei näy tässä.",
        "Så antecknades det {day}. Ett senare svar syns inte här.",
        "So it was recorded on {day}. A later answer does not show here.",
    ),
    "too-little": (
        "Vastaus ei kata kaikkia tietoja, joita tarkoitus tarvitsee. Siksi tietojasi ei saa käyttää siihen.",
        "Svaret omfattar inte alla uppgifter som ändamålet behöver. Därför får dina uppgifter inte användas för det.",
        "The answer does not cover all the data that the purpose needs. So your data may not be used for it.",
    ),
    # labels
    "purpose": ("Tarkoitus", "Ändamål", "Purpose"),
    "in-short": ("Lyhyesti", "I korthet", "In short"),
    "done": ("Mitä tiedoilla tehdään", "Vad som görs med uppgifterna", "What is done with the data"),
    "data": ("Mitä tietoja", "Vilka uppgifter", "Which data"),
    "sensitive": ("{data} (arkaluonteinen)", "{data} (känslig)", "{data} (sensitive)"),
    "basis": (
        "Mihin lain kohtaan tämä perustuu",
        "Vad i lagen det grundar sig på",
        "What in the law it rests on",
    ),
    "controller": ("Kuka vastaa", "Vem som ansvarar", "Who is responsible"),
    "contact": ("Yhteystiedot", "Kontakt", "Contact"),
    "recipients": ("Kuka muu saa tiedot", "Vem annan får uppgifterna", "Who else gets the data"),
    "nobody": ("ei kukaan", "ingen", "nobody"),
    "storage": ("Missä tietoja säilytetään", "Var uppgifterna förvaras", "Where the data is kept"),
    "kept": (
        "Kuinka kauan käytetyt tiedot säilyvät käytön jälkeen",
        "Hur länge använda uppgifter sparas efter användningen",
        "How long used data is kept after the use",
    ),
    "days": ("{days} päivää", "{days} dagar", "{days} days"),
    "not-kept": ("niitä ei säilytetä", "de sparas inte", "it is not kept"),
    "no": ("Jos vastaus on ei", "Om svaret är nej", "If the answer is no"),
    "who": ("Kuka vastasi", "Vem som svarade", "Who answered"),
    "how": ("Miten", "Hur", "How"),
    "when": ("Milloin", "När", "When"),
    "until": ("Voimassa enintään", "Gäller högst till", "Holds at most until"),
    "language": ("Tiedotteen kieli", "Informationens språk", "Language of the notice"),
    "own-say": ("Nuoren oma mielipide", "Den ungas egen åsikt", "The young person's own say"),
    "representation": (
        "Millä oikeudella toisen puolesta",
        "Med vilken rätt för någon annan",
        "By what right for somebody else",
    ),
    "other-detail": ("Muu tarkenne ({name})", "Annan detalj ({name})", "Another detail ({name})"),
    "signed-on": ("Päiväys paperilomakkeessa", "Datum på pappersblanketten", "Date on the paper form"),
    "result": ("Tulos", "Resultat", "Result"),
    "service": ("Palvelu", "Tjänst", "Service"),
    "model": ("Malli", "Modell", "Model"),
    "not-stated": ("ei kerrottu", "inte angivet", "not stated"),
    # own say
    "agreed": ("suostui", "gick med på det", "agreed"),
    "opposed": ("vastusti", "motsatte sig", "was opposed"),
    "not-able": ("ei pystynyt sanomaan", "kunde inte säga", "was not able to say"),
    "not-asked": ("ei kysytty", "tillfrågades inte", "was not asked"),
    # languages
    "fi": ("suomi", "finska", "Finnish"),
    "sv": ("ruotsi", "svenska", "Swedish"),
    "en": ("englanti", "engelska", "English"),
    # proof
    "reading-aid": (
        "Tämä sivu on lukemista varten. Todisteet ovat kuitin tiedostossa, ja vain se kannattaa tarkistaa.",
        "Den här sidan är till för läsning. Bevisen finns i kvittots fil, och det är bara den som lönar sig att kontrollera.",
        "This page is for reading. The proof is in the receipt's file, and only that is worth checking.",
    ),
    "save": (
        "Tallenna kuitin tiedosto (receipt.json).",
        "Spara kvittots fil (receipt.json).",
        "Save the receipt's file (receipt.json).",
    ),
    "download": ("Tallenna receipt.json", "Spara receipt.json", "Save receipt.json"),
    "fetch": (
        (
            "Hae kaupungin trust-root.json. Vertaa alla olevaa tunnistetta (trust root) sellaiseen, jonka sait muuta tietä: "
            "kirjeestä tai kaupungin verkkosivulta."
        ),
        (
            "Hämta stadens trust-root.json. Jämför koden nedan (trust root) med en som du fått på annat sätt: i ett brev eller på "
            "stadens webbplats."
        ),
        (
            "Get the city's trust-root.json. Compare the code below (trust root) with one that you got another way: in a letter or "
            "on the city's web site."
        ),
    ),
    "command": (
        "Aja tämä komento millä tahansa koneella. Verkkoyhteyttä ei tarvita:",
        "Kör detta kommando på vilken dator som helst. Ingen nätverksanslutning behövs:",
        "Run this command on any computer. No network is needed:",
    ),
    "if-checked": (
        "Kun tarkistus onnistuu, tämä on varmaa:",
        "När kontrollen lyckas är detta säkert:",
        "When the check succeeds, this is certain:",
    ),
    "proved-answer": (
        "Vastaus on kirjattu lokiin {origin} kohtaan {index} juuri näin. Sitä ei voi muuttaa eikä poistaa huomaamatta.",
        "Svaret är antecknat i loggen {origin} på plats {index} precis så här. Det kan inte ändras eller tas bort obemärkt.",
        "The answer stands in the log {origin}, at place {index}, exactly like this. It cannot be changed or removed unseen.",
    ),
    "proved-purpose": (
        "Tarkoitus oli lokissa ennen vastausta, ja tarkoitus ja tiedote ovat sanasta sanaan ne, joihin vastattiin.",
        "Ändamålet fanns i loggen före svaret, och ändamålet och informationen är ordagrant de som svaret gäller.",
        "The purpose was in the log before the answer, and purpose and notice are word for word those that were answered.",
    ),
    "proved-run": (
        "Käyttö on kirjattu lokiin {origin} kohtaan {index}, ja tulos koskee numeroa {number}, joka on sinun. Muiden tietoja ei näy.",
        (
            "Användningen är antecknad i loggen {origin} på plats {index}, och resultatet gäller nummer {number}, som är ditt. Ingen "
            "annans uppgifter syns."
        ),
        (
            "The use stands in the log {origin}, at place {index}, and the result is that of number {number}, which is yours. Nobody "
            "else's data is shown."
        ),
    ),
    "proved-meaning": (
        "Tarkoitus oli lokissa ennen käyttöä, sanasta sanaan näin.",
        "Ändamålet fanns i loggen före användningen, ordagrant så här.",
        "The purpose was in the log before the use, word for word like this.",
    ),
    "proved-values": (
        "Arvot ovat ne, jotka käyttö sitoi sinuun, kun se kirjattiin.",
        "Värdena är de som användningen band till dig när den antecknades.",
        "The values are those that the use bound to you when it was recorded.",
    ),
    "proved-explanation": (
        "Tietojen nimet ja selitykset ovat siitä asiakirjasta, jonka käyttö nimeää. Niitä ei ole muutettu sen jälkeen.",
        "Uppgifternas namn och förklaringar är ur det dokument som användningen nämner. De har inte ändrats efter det.",
        "The names and explanations of the data are from the document that the use names. They were not changed since.",
    ),
    "not-explanation": (
        "Että selitys kuvaa mallin oikein: se on kaupungin oma sana.",
        "Att förklaringen beskriver modellen rätt: den är stadens egna ord.",
        "That the explanation describes the model rightly: it is the city's own word.",
    ),
    "not-newest": (
        "Ettei vastausta ole muutettu myöhemmin.",
        "Att svaret inte har ändrats senare.",
        "That the answer was not changed later.",
    ),
    "not-person": (
        "Kuka oikeasti vastasi: vain, että niin kirjattiin.",
        "Vem som verkligen svarade: bara att det antecknades så.",
        "Who really answered: only that it was recorded so.",
    ),
    "not-clock": (
        "Että kellonajat ovat oikein: ne ovat kaupungin kellosta. Järjestys on varma.",
        "Att klockslagen stämmer: de kommer från stadens klocka. Ordningen är säker.",
        "That the times are right: they are from the city's clock. The order is certain.",
    ),
    # facts for whoever checks
    "origin": ("Loki", "Logg", "Log"),
    "index": ("Kohta lokissa", "Plats i loggen", "Place in the log"),
    "size": ("Lokin pituus", "Loggens längd", "Length of the log"),
    "pin": ("Trust root (sha256)", "Trust root (sha256)", "Trust root (sha256)"),
    "purpose-id": (
        "Tarkoituksen tunnus ja versio",
        "Ändamålets id och version",
        "Id and version of the purpose",
    ),
    "notice-digest": ("Tiedotteen tiiviste", "Informationens kontrollsumma", "Digest of the notice"),
    "service-id": ("Palvelun tunnus", "Tjänstens id", "Id of the service"),
    "explanation-digest": ("Selityksen tiiviste", "Förklaringens kontrollsumma", "Digest of the explanation"),
    "run-id": ("Käytön tunnus", "Användningens id", "Id of the use"),
    "number": ("Numerosi lokissa", "Ditt nummer i loggen", "Your number in the log"),
    "subject": ("Tunnuksesi lokissa", "Din kod i loggen", "Your code in the log"),
    "issued": ("Kuitti tehty", "Kvittot gjort", "Receipt made"),
}

_DATA: Final[Mapping[str, tuple[str, str, str]]] = {
    "Age": ("ikä", "ålder", "age"),
    "Education": ("koulutus", "utbildning", "education"),
    "EducationQualification": ("koulutus", "utbildning", "education"),
    "Ethnicity": ("etninen alkuperä", "etniskt ursprung", "ethnic origin"),
    "FamilyStructure": ("perhe", "familj", "family"),
    "Gender": ("sukupuoli", "kön", "gender"),
    "Health": ("terveys", "hälsa", "health"),
    "HealthRecord": ("terveystiedot", "hälsouppgifter", "health records"),
    "Income": ("tulot", "inkomster", "income"),
    "Insurance": ("vakuutukset", "försäkringar", "insurance"),
    "Parent": ("vanhemmat", "föräldrar", "parents"),
    "School": ("koulu", "skola", "school"),
    "ServiceConsumptionBehaviour": ("palvelujen käyttö", "användning av tjänster", "use of services"),
}
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def say(key: str, language: str, **values: object) -> str:
    """A word or sentence of the page."""
    return pick(_texts(_WORDS[key]), language).format(**values)


def data(term: str, language: str) -> str:
    """A category of personal data in plain words; one that is not in our list as its term says it."""
    name = term.rpartition(":")[2]
    if name in _DATA:
        return pick(_texts(_DATA[name]), language)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


def moment(time: str, language: str) -> str:
    """A time `YYYY-MM-DDThh:mm:ssZ` as people write it; in UTC, which is said."""
    year, month, day = time[:10].split("-")
    hour, minute = time[11:13], time[14:16]
    if language == "en":
        return f"{int(day)} {_MONTHS[int(month) - 1]} {year}, {hour}:{minute} UTC"
    return f"{int(day)}.{int(month)}.{year} {'klo' if language == 'fi' else 'kl.'} {int(hour)}.{minute} UTC"


def day(time: str, language: str) -> str:
    """The day of a time, without the hour."""
    return moment(time, language).partition("," if language == "en" else " kl")[0]


def _texts(three: tuple[str, str, str]) -> Texts:
    return dict(zip(("fi", "sv", "en"), three, strict=True))
