"""Kinds of personal data in DPV 2.3: the names that a purpose's categories may use with the prefixes `pd:` and `dpv:`.

Source: github.com/w3c/dpv at f01a55c3c0983e35cdfdf80593ece3353faba7b8 (2026-02-28), 2.3/pd/pd.csv and 2.3/dpv/dpv.csv, the
classes under `dpv:PersonalData`; the Data Privacy Vocabulary of the W3C DPV Community Group. Names only.
"""

from __future__ import annotations

import difflib
from typing import Final

_PD: Final = """
Accent AccountIdentifier Acquaintance Age AgeExact AgeRange ApartmentOwned Association Attitude
Authenticating AuthenticationHistory BankAccount Behavioural Biometric BirthCountry BirthDate BirthPlace
BloodType BrowserFingerprint BrowserHistory BrowsingBehaviour BrowsingReferral CallLog CarOwned Character
Citizenship City Communication CommunicationsMetadata Connection Contact Country Credit CreditCapacity
CreditCardNumber CreditRecord CreditScore CreditStanding CreditWorthiness Criminal CriminalCharge
CriminalConviction CriminalOffence CriminalPardon CurrentEmployment CurrentLocation DNACode Demeanour
Demographic DeviceApplications DeviceBased DeviceOperatingSystem DeviceSoftware Dialect DigitalFingerprint
Disability DisciplinaryAction Dislike Divorce Domicile DrugTestResult Education EducationExperience
EducationQualification EducationTraining EmailAddress EmailAddressPersonal EmailAddressWork EmailContent
Emotion EmploymentHistory EthnicOrigin Ethnicity External FacialExpression FacialPrint Family
FamilyHealthHistory FamilyStructure Favourite FavouriteColour FavouriteFood FavouriteMusic Fetish Financial
FinancialAccount FinancialAccountNumber FinancialStatus Fingerprint Friend GPSCoordinate Gender
GeneralReputation Genetic Geographic GroupMembership GroupProfile HairColour Health HealthHistory
HealthRecord Height Historical HomeLocation HouseNumber HouseOwned Household IPAddress Identifier
Identifying Income IncomeBracket IndividualHealthHistory IndividualProfile Insurance Intention Interaction
Interest Internal Job KnowledgeBelief Language LifeHistory Like LinkClicked LoanRecord Locality Location
MACAddress MaritalStatus Marriage MedicalHealth MentalHealth Mood Name Nationality OfficialID Offspring
Opinion Ownership PINCode Parent Passport Password PastEmployment PaymentCard PaymentCardExpiry
PaymentCardNumber PerformanceAtWork PersonalDocuments PersonalPossession Personality PhilosophicalBelief
PhysicalAddress PhysicalCharacteristic PhysicalHealth PhysicalTrait Picture Piercing PoliticalAffiliation
PoliticalOpinion PostalCode Preference Prescription PrivacyPreference Proclivity Professional
ProfessionalCertification ProfessionalEvaluation ProfessionalExperience ProfessionalInterview
ProfessionalTraining Profile PublicLife PubliclyAvailableSocialMedia Purchase PurchasesAndSpendingHabit Race
Reference Region Relationship Reliability Religion ReligiousBelief Residency Retina RoomNumber Salary Sale
School SecretText ServiceConsumptionBehaviour Sexual SexualHistory SexualPreference Sibling SkinTone Social
SocialBehaviour SocialMedia SocialMediaCommunication SocialNetwork SocialStatus Street TVViewingBehaviour
Tattoo Tax TechnicalKnowledge TelephoneNumber Thought Tracking TradeUnionMembership Transaction
Transactional TravelHistory UID UserAgent Username VehicalLicenseNumber VehicalLicenseRegistration Vehicle
VehicleLicense VehicleUsage VoiceCommunicationRecording VoiceMail Vulnerability Weight WorkEnvironment
WorkExperience WorkHistory WorkLocation
"""
_DPV: Final = """
CollectedPersonalData ContextuallyAnonymisedData DerivedPersonalData GeneratedPersonalData
IdentifyingPersonalData InferredPersonalData ObservedPersonalData PersonalData ProvidedPersonalData
PseudonymisedData SensitivePersonalData SpecialCategoryPersonalData
"""
TERMS: Final = frozenset({*(f"pd:{name}" for name in _PD.split()), *(f"dpv:{name}" for name in _DPV.split())})


def unknown_term(category: str) -> tuple[str, str] | None:
    """What is wrong with a category of personal data, and what to do; None where nothing is.

    Args:
        category: A term with its prefix. `dpv-pd:` is an older spelling of `pd:`. Another prefix is somebody's own
            vocabulary, about which nothing is known here.
    """
    prefix, _, name = category.partition(":")
    if prefix not in ("pd", "dpv-pd", "dpv"):
        return None
    term = f"{'dpv' if prefix == 'dpv' else 'pd'}:{name}"
    if term in TERMS:
        return None
    near = difflib.get_close_matches(term, TERMS, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(f'`{each}`' for each in near)}?"
        if near
        else "see https://w3id.org/dpv/2.3/pd"
    )
    return (
        f"DPV 2.3 has no kind of personal data `{category}`",
        f"{hint} A term of your own takes a prefix of your own.",
    )
