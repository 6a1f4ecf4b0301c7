"""The health-benefit service: offer a check-up to adults who would gain from one.

Real rows: the RAND Health Insurance Experiment (1974-1982, public domain), as shipped in the statsmodels wheel.
Year 1 predicts year 2. The first recipe repeats the published mistake of real tools, spending as a stand-in for need
(Obermeyer et al. 2019, doi:10.1126/science.aax2342); the later ones learn the declared measure of need.
"""

from __future__ import annotations

from models.service import Column, Need, Recipe, Service, ServicePurposes

WORST_FIFTH_OF_HEALTH = 60.2
"""Cut of `xghindx` (0..100, higher is better health): below it stand 19.9 % of the 3,205 adults, at it another 1.7 %
(benchmarks/models_rand.py). Fixed here, so that the rule does not move with the people it is applied to."""

_AGE_GROUPS = ("18-29", "30-44", "45 and over")
_THIRDS = ("lowest third", "middle third", "highest third")
_MONEY = 10_000_000.0

_CONTRACT = (
    Column("person_id", "identifier", "person", "National personal identity code."),
    Column("family", "identifier", "family", "Household; inferred from site, plan, family size and income."),
    Column("female", "flag", "feature", "1 for women, 0 for men."),
    Column("xage", "number", "feature", "Age in years in the first study year.", low=18, high=120),
    Column(
        "educdec",
        "number",
        "feature",
        "Schooling of the household's decision maker, years.",
        low=0,
        high=30,
        nullable=True,
    ),
    Column(
        "income", "amount", "feature", "Household income, dollars a year, per the study.", low=0, high=_MONEY
    ),
    Column("num", "number", "feature", "People in the household.", low=1, high=30),
    Column("coins", "number", "feature", "Share of the bill the person pays, per cent.", low=0, high=100),
    Column("idp", "flag", "feature", "1 if the insurance has an individual deductible."),
    Column(
        "mdeoff",
        "amount",
        "feature",
        "Most the household can be asked to pay, dollars.",
        low=0,
        high=_MONEY,
        nullable=True,
    ),
    Column("outpdol", "amount", "feature", "Outpatient care, dollars in the year.", low=0, high=_MONEY),
    Column("drugdol", "amount", "feature", "Medicines, dollars in the year.", low=0, high=_MONEY),
    Column("suppdol", "amount", "feature", "Medical supplies, dollars in the year.", low=0, high=_MONEY),
    Column("mentdol", "amount", "feature", "Psychotherapy, dollars in the year.", low=0, high=_MONEY),
    Column("inpdol", "amount", "feature", "Hospital care, dollars in the year.", low=0, high=_MONEY),
    Column("mdvis", "amount", "feature", "Visits to a doctor in the year.", low=0, high=1000),
    Column("notmdvis", "amount", "feature", "Visits to other health staff in the year.", low=0, high=1000),
    Column("mentvis", "amount", "feature", "Psychotherapy visits in the year.", low=0, high=1000),
    Column("totadm", "amount", "feature", "Hospital admissions in the year.", low=0, high=1000),
    Column(
        "mhi",
        "number",
        "feature",
        "Mental health index at the start, 0..100, higher is better.",
        low=0,
        high=100,
    ),
    Column(
        "disea",
        "number",
        "feature",
        "Chronic diseases at the start, the study's weighted count.",
        low=0,
        high=100,
    ),
    Column(
        "physlm",
        "number",
        "feature",
        "Physical limitation at the start, 0..1 (a fraction where the study filled it in).",
        low=0,
        high=1,
    ),
    Column("sex", "category", "sensitive", "Sex as recorded.", categories=("female", "male")),
    Column(
        "race",
        "category",
        "sensitive",
        "As recorded; 'unknown' where the study filled in a fraction.",
        categories=("Black", "other", "unknown"),
    ),
    Column("age_group", "category", "sensitive", "Age, grouped.", categories=_AGE_GROUPS),
    Column(
        "income_group", "category", "sensitive", "Household income, thirds of the adults.", categories=_THIRDS
    ),
    Column("high_spending", "flag", "outcome", "1 for the top fifth of medical spending in the second year."),
    Column("need", "flag", "outcome", "1 for the worst fifth of the self-rated health index."),
    Column("fair_or_poor_health", "flag", "outcome", "1 if the person calls their own health fair or poor."),
    Column("many_diseases", "flag", "outcome", "1 for the top fifth of the count of chronic diseases."),
    Column(
        "physical_limitation",
        "flag",
        "outcome",
        "1 for a physical limitation; empty where the study filled it in.",
        nullable=True,
    ),
)

_RECIPES = (
    Recipe(
        "spending",
        "high_spending",
        "Learns who will be among the fifth that costs most next year: cost as a stand-in for need.",
    ),
    Recipe(
        "spending-equal-selection",
        "high_spending",
        "The same, trained to select race and sex groups equally often (fairlearn, demographic parity).",
        mitigation="equal-selection",
        mitigation_features=("race", "sex"),
    ),
    Recipe("need", "need", "Learns the declared measure of need: the worst fifth of self-rated health."),
    Recipe(
        "need-equal-tpr",
        "need",
        "The same, trained to find those in need equally often in each race and sex group (fairlearn, true positive rates).",
        mitigation="equal-tpr",
        mitigation_features=("race", "sex"),
    ),
    Recipe(
        "need-boosted",
        "need",
        "Learns the declared measure of need with gradient boosted trees, for comparison.",
        family="boosted",
    ),
)

_FAMILIES = {
    "doctor": ("outpdol", "mdvis", "notmdvis"),
    "medicines": ("drugdol", "suppdol"),
    "hospital": ("inpdol", "totadm"),
    "therapy": ("mentdol", "mentvis"),
    "wellbeing": ("mhi",),
    "conditions": ("disea", "physlm"),
    "household": ("educdec", "income", "num"),
    "insurance": ("coins", "idp", "mdeoff"),
    "age": ("xage",),
    "sex": ("female",),
}

SERVICE = Service(
    id="health-benefit",
    title={
        "fi": "Tarjous terveystapaamisesta",
        "sv": "Erbjudande om hälsosamtal",
        "en": "Offer of a health check-up",
    },
    description={
        "fi": "Kaupunki tarjoaa terveystapaamista aikuisille, joille siitä voi olla hyötyä. Ehdotuksen tekee laskentamalli, "
        "ja ihminen tarkistaa sen. Päätät itse, haluatko tulla.",
        "sv": "Staden erbjuder hälsosamtal till vuxna som kan ha nytta av det. En beräkningsmodell ger ett förslag och en "
        "människa granskar det. Du bestämmer själv om du vill komma.",
        "en": "The city offers a health check-up to adults who may gain from one. A model makes a proposal and a person "
        "reviews it. You decide yourself whether to come.",
    },
    kind="assistive",
    purposes=ServicePurposes("health-benefit.development", "health-benefit.offer"),
    contract=_CONTRACT,
    features=tuple(column.name for column in _CONTRACT if column.role == "feature"),
    sensitive_features=("sex", "race", "age_group", "income_group"),
    sensitive_as_feature={"sex": "female", "age_group": "xage", "income_group": "income"},
    capacity=0.20,
    statistics_basis="GDPR 6(1)(e) and 89(1), statistics on whom a selection reaches; for race a law under 9(2)(j), which a city names before it counts.",
    need=Need(
        "need",
        {
            "fi": "Oma arvio terveydestä kuuluu heikoimpaan viidennekseen.",
            "sv": "Den egna bedömningen av hälsan hör till den sämsta femtedelen.",
            "en": "Self-rated health is in the worst fifth.",
        },
        f"General health index at the start of the study, with the study's imputation: xghindx < {WORST_FIFTH_OF_HEALTH}.",
        {
            "fi": "Se kysyy ihmiseltä itseltään, eikä riipu siitä, kuinka paljon hoitoa hän on saanut tai mihin hänellä on ollut varaa.",
            "sv": "Det frågar människan själv och beror inte på hur mycket vård hon har fått eller haft råd med.",
            "en": "It asks people themselves, and does not depend on how much care they were given or could pay for.",
        },
    ),
    other_needs=(
        Need(
            "fair_or_poor_health",
            {
                "fi": "Arvioi oman terveytensä kohtalaiseksi tai huonoksi.",
                "sv": "Bedömer sin egen hälsa som medelmåttig eller dålig.",
                "en": "Calls their own health fair or poor.",
            },
            "hlthf == 1 or hlthp == 1",
        ),
        Need(
            "many_diseases",
            {
                "fi": "Pitkäaikaissairauksien määrä kuuluu ylimpään viidennekseen.",
                "sv": "Antalet långvariga sjukdomar hör till den högsta femtedelen.",
                "en": "The count of chronic diseases is in the top fifth.",
            },
            "disea > its 80th percentile among the adults of the first year (many share the filled-in value at it)",
        ),
        Need(
            "physical_limitation",
            {
                "fi": "Jokin fyysinen rajoite vaikeuttaa arkea.",
                "sv": "En fysisk begränsning försvårar vardagen.",
                "en": "A physical limitation makes daily life harder.",
            },
            "physlm == 1; unknown where the study filled in a fraction",
        ),
    ),
    recipes={recipe.name: recipe for recipe in _RECIPES},
    feature_texts={
        "female": {"fi": "sukupuoli", "sv": "kön", "en": "sex"},
        "xage": {"fi": "ikä", "sv": "ålder", "en": "age"},
        "educdec": {
            "fi": "kotitalouden koulutusvuodet",
            "sv": "utbildningsår i hushållet",
            "en": "years of schooling in the household",
        },
        "income": {"fi": "kotitalouden tulot", "sv": "hushållets inkomster", "en": "household income"},
        "num": {"fi": "kotitalouden koko", "sv": "hushållets storlek", "en": "size of the household"},
        "coins": {
            "fi": "oma osuus hoidon hinnasta",
            "sv": "egen andel av vårdkostnaden",
            "en": "own share of the cost of care",
        },
        "idp": {
            "fi": "henkilökohtainen omavastuu vakuutuksessa",
            "sv": "personlig självrisk i försäkringen",
            "en": "individual deductible in the insurance",
        },
        "mdeoff": {
            "fi": "vakuutuksen maksukatto",
            "sv": "försäkringens kostnadstak",
            "en": "ceiling on costs in the insurance",
        },
        "outpdol": {
            "fi": "avohoidon kustannukset",
            "sv": "kostnader för öppenvård",
            "en": "cost of outpatient care",
        },
        "drugdol": {
            "fi": "lääkkeiden kustannukset",
            "sv": "kostnader för läkemedel",
            "en": "cost of medicines",
        },
        "suppdol": {
            "fi": "hoitotarvikkeiden kustannukset",
            "sv": "kostnader för vårdartiklar",
            "en": "cost of medical supplies",
        },
        "mentdol": {
            "fi": "keskusteluavun kustannukset",
            "sv": "kostnader för samtalsstöd",
            "en": "cost of talking therapy",
        },
        "inpdol": {
            "fi": "sairaalahoidon kustannukset",
            "sv": "kostnader för sjukhusvård",
            "en": "cost of hospital care",
        },
        "mdvis": {"fi": "lääkärikäynnit", "sv": "läkarbesök", "en": "visits to a doctor"},
        "notmdvis": {
            "fi": "käynnit muun terveydenhuollon ammattilaisen luona",
            "sv": "besök hos annan vårdpersonal",
            "en": "visits to other health staff",
        },
        "mentvis": {
            "fi": "keskusteluapukäynnit",
            "sv": "besök för samtalsstöd",
            "en": "talking therapy visits",
        },
        "totadm": {"fi": "sairaalajaksot", "sv": "sjukhusvistelser", "en": "stays in hospital"},
        "mhi": {
            "fi": "vastaukset mielialaa koskeviin kysymyksiin",
            "sv": "svaren på frågorna om sinnesstämning",
            "en": "answers to the questions on mood",
        },
        "disea": {
            "fi": "pitkäaikaissairauksien määrä",
            "sv": "antalet långvariga sjukdomar",
            "en": "number of long-term conditions",
        },
        "physlm": {
            "fi": "arkea vaikeuttavat fyysiset rajoitteet",
            "sv": "fysiska begränsningar i vardagen",
            "en": "physical limits in daily life",
        },
    },
    value_texts={
        "female": {
            "0": {"fi": "mies", "sv": "man", "en": "man"},
            "1": {"fi": "nainen", "sv": "kvinna", "en": "woman"},
        },
        "idp": {
            "0": {"fi": "ei ole", "sv": "finns inte", "en": "none"},
            "1": {"fi": "on", "sv": "finns", "en": "there is one"},
        },
    },
    feature_families={name: family for family, names in _FAMILIES.items() for name in names},
    family_texts={
        "doctor": {
            "fi": "Käyntisi terveydenhuollossa viime vuonna",
            "sv": "Dina besök i vården under det senaste året",
            "en": "Your visits to health services last year",
        },
        "medicines": {
            "fi": "Lääkkeesi ja hoitotarvikkeesi viime vuonna",
            "sv": "Dina läkemedel och vårdartiklar under det senaste året",
            "en": "Your medicines and supplies last year",
        },
        "hospital": {
            "fi": "Sairaalahoitosi viime vuonna",
            "sv": "Din sjukhusvård under det senaste året",
            "en": "Your hospital care last year",
        },
        "therapy": {
            "fi": "Saamasi keskusteluapu viime vuonna",
            "sv": "Det samtalsstöd du fick under det senaste året",
            "en": "The talking therapy you had last year",
        },
        "wellbeing": {
            "fi": "Vastauksesi mielialaa koskeviin kysymyksiin",
            "sv": "Dina svar på frågorna om sinnesstämning",
            "en": "Your answers to the questions on mood",
        },
        "conditions": {
            "fi": "Pitkäaikaissairautesi ja arkea vaikeuttavat rajoitteet",
            "sv": "Dina långvariga sjukdomar och begränsningar i vardagen",
            "en": "Your long-term conditions and limits in daily life",
        },
        "household": {
            "fi": "Kotitaloutesi koko, tulot ja koulutus",
            "sv": "Ditt hushålls storlek, inkomster och utbildning",
            "en": "Your household's size, income and schooling",
        },
        "insurance": {
            "fi": "Sairausvakuutuksesi ehdot",
            "sv": "Villkoren i din sjukförsäkring",
            "en": "Your health insurance's terms",
        },
        "age": {"fi": "Ikäsi", "sv": "Din ålder", "en": "Your age"},
        "sex": {"fi": "Sukupuolesi", "sv": "Ditt kön", "en": "Your sex"},
    },
    offer={
        "fi": "Tarjoamme sinulle maksutonta terveystapaamista. Voit varata ajan tai jättää sen väliin: muut palvelusi pysyvät "
        "ennallaan.",
        "sv": "Vi erbjuder dig ett kostnadsfritt hälsosamtal. Du kan boka en tid eller avstå: dina övriga tjänster förblir "
        "oförändrade.",
        "en": "We offer you a free health check-up. You may book a time or leave it: your other services stay as they are.",
    },
    registered_model="luvalla-health-benefit",
    simulated=(
        "The rows are real answers of people in the United States in the 1970s; personal identity codes are invented.",
        "Families are inferred from site, plan, family size and income.",
    ),
    source="RAND Health Insurance Experiment, public domain, in statsmodels' wheel: datasets/randhie/src/randhie.csv",
)
