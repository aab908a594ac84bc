"""What a sender tells about a person (Segment traits), as identities and profile changes. Called by the receivers.

Names become snake_case. ``email`` and ``phone`` are identities as well as attributes, ``unionid``, ``openid`` and
``external_userid`` are identities only; ``consent`` maps channels to yes or no; ``tags``, ``remove_tags``, ``groups`` and
``leave_groups`` are lists of names, ``push_tokens`` is one of devices. A value of null removes the attribute. What a company has declared (attributes.yaml) is
checked and brought into its one spelling.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.contacts import cleaning, push_tokens
from waypost.contacts.attributes import load_attributes
from waypost.contacts.cleaning import Cleaned, Unusable
from waypost.contacts.identity.acceptance import clean_identity, group_objection, token_objection
from waypost.contacts.tag_system import load_tag_system
from waypost.events.names import attribute_name, snake_case
from waypost.intake.request_outcome import Problem

MOST_TAGS: Final = 100
LONGEST_TAG: Final = 100
LONGEST_GROUP: Final = 256

IDENTITY_TRAITS: Final[Mapping[str, str]] = {
    "unionid": "unionid", "union_id": "unionid", "openid": "openid", "open_id": "openid",
    "external_userid": "external_userid", "external_user_id": "external_userid",
}  # fmt: skip
"""Traits that are identities and nothing else, as senders spell them, and their kinds."""

POINTS: Final = "points"


@dataclass(slots=True)
class Traits:
    """What was read: ``identities`` and ``profile`` are clean; ``problems`` and ``warnings`` name what was left out.

    ``problems`` are mistakes of the sender, ``warnings`` what devices report that nobody can correct.
    """

    identities: dict[str, str] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_traits(given: Mapping[str, Any], where: str, *, locale: str = "") -> Traits:
    """Read the traits found at the path ``where``; ``locale`` (cleaned) helps to read a phone number.

    What cannot be used is left out, so that the rest of the event is not lost with it.
    """
    traits = Traits()
    named = _with_our_names(given, where, traits.problems)
    _take("locale", named, cleaning.locale, traits, traits.warnings)
    _take("timezone", named, cleaning.time_zone, traits, traits.warnings)
    region = cleaning.region_of(traits.profile.get("locale") or locale)
    phone_trait = named.get("phone")
    _take("email", named, lambda text: clean_identity("email", text), traits, traits.problems)
    _take("phone", named, lambda text: clean_identity("phone", text, region=region), traits, traits.problems)
    traits.identities = {kind: traits.profile[kind] for kind in ("email", "phone") if traits.profile.get(kind)}
    if "phone" in traits.identities and not cleaning.takes_texts(traits.identities["phone"]):
        where_phone = f"{where}.phone" if phone_trait is None else phone_trait.where
        traits.warnings.append(Problem(where_phone, "is a land line or a service number: it is kept, and gets no SMS"))
    _take_identities(named, traits)
    if (balance := named.pop(POINTS, None)) is not None:
        reason = "is left out: a balance changes by the events points_earned and points_spent alone"
        traits.warnings.append(Problem(balance.where, reason))
    for name, read in _READERS.items():
        answer = named.pop(name, None)
        if answer is not None and answer.value is not None:
            traits.profile[name] = read(answer, traits.problems)
        elif answer is not None and name == push_tokens.ATTRIBUTE:
            traits.profile[name] = None
    _take_declared(named, traits)
    return traits


@dataclass(frozen=True, slots=True)
class _Trait:
    where: str
    value: Any


def _with_our_names(given: Mapping[str, Any], where: str, problems: list[Problem]) -> dict[str, _Trait]:
    named: dict[str, _Trait] = {}
    contradicted: set[str] = set()
    for key, value in given.items():
        path = f"{where}.{key}"
        try:
            name = attribute_name(key)
        except ValueError as error:
            problems.append(Problem(path, f"the name {error}"))
            continue
        if name in named and named[name].value != value:
            problems.append(Problem(path, f"should not differ from {named[name].where}: both are the attribute {name}"))
            contradicted.add(name)
        named.setdefault(name, _Trait(path, value))
    return {name: trait for name, trait in named.items() if name not in contradicted}


def _take(
    name: str, named: dict[str, _Trait], clean: Callable[[str], Cleaned], traits: Traits, unusable: list[Problem]
) -> None:
    """Move one trait into the profile, cleaned; an empty one counts as not given, null removes the attribute."""
    trait = named.pop(name, None)
    match trait:
        case None:
            pass
        case _Trait(value=str(text)) if not text.strip():
            pass
        case _Trait(value=None):
            traits.profile[name] = None
        case _Trait(where, str() | int() as text) if isinstance(text, str) or (
            name == "phone" and not isinstance(text, bool)
        ):
            match clean(str(text)):
                case Unusable(reason):
                    unusable.append(Problem(where, reason))
                case value:
                    traits.profile[name] = value
        case _Trait(where, _):
            traits.problems.append(Problem(where, "should be text"))


def _take_declared(named: dict[str, _Trait], traits: Traits) -> None:
    """Move the other traits into the profile: a declared attribute in its one spelling, any other as it was given."""
    system = load_attributes()
    zone = traits.profile.get("timezone") or system.time_zone
    for name, trait in named.items():
        declared = system.attributes.get(name)
        if declared is None or trait.value is None:
            traits.profile[name] = trait.value
        elif not (isinstance(trait.value, str) and not trait.value.strip()):  # an empty field of a form says nothing
            match declared.clean(trait.value, zone=zone):
                case Unusable(reason):
                    wrong = traits.warnings if declared.wrong == "leave_out" else traits.problems
                    wrong.append(Problem(trait.where, reason))
                case value:
                    traits.profile[name] = value
                    if doubt := declared.doubt(value):
                        traits.warnings.append(Problem(trait.where, doubt))


def _consent(trait: _Trait, problems: list[Problem]) -> dict[str, bool]:
    if not isinstance(trait.value, dict):
        problems.append(Problem(trait.where, 'should map channels to true or false, for example {"email": true}'))
        return {}
    consent: dict[str, bool] = {}
    for channel, given in trait.value.items():
        name, answer = snake_case(channel), _answer(given)
        if not name or answer is None:
            problems.append(Problem(f"{trait.where}.{channel}", "should be a channel with true or false"))
        else:
            consent[name] = answer
    return consent


def _answer(given: Any) -> bool | None:
    """Yes or no: a yes is ``true`` and nothing else, a no may be written as forms and databases write it, for it must not be lost."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        return given if isinstance(given, bool) else None
    from waypost.contacts.cleaning.numbers import boolean  # noqa: PLC0415 - nearly every sender says true or false

    return False if boolean(str(given)) is False else None


def _take_identities(named: dict[str, _Trait], traits: Traits) -> None:
    """Move the traits that are identities only; null and empty text count as not given."""
    for name, kind in IDENTITY_TRAITS.items():
        match named.pop(name, None):
            case None | _Trait(value=None | ""):
                pass
            case _Trait(where, str(text)):
                match clean_identity(kind, text):
                    case Unusable(reason):
                        traits.problems.append(Problem(where, reason))
                    case value if traits.identities.setdefault(kind, value) != value:
                        traits.problems.append(Problem(where, f"should be the only {kind}"))
            case _Trait(where, _):
                traits.problems.append(Problem(where, "should be text"))


def _groups(trait: _Trait, problems: list[Problem]) -> list[str]:
    return _names(trait, problems, longest=LONGEST_GROUP)


def _joined_groups(trait: _Trait, problems: list[Problem]) -> list[str]:
    return _names(trait, problems, longest=LONGEST_GROUP, objection=group_objection)


def _tags(trait: _Trait, problems: list[Problem]) -> list[str]:
    return _names(trait, problems, longest=LONGEST_TAG, objection=load_tag_system().objection)


def _names(
    trait: _Trait, problems: list[Problem], *, longest: int, objection: Callable[[str], str] = lambda _: ""
) -> list[str]:
    """The names of a list that can be used, each once."""
    if not isinstance(trait.value, list):
        problems.append(Problem(trait.where, "should be a list of names"))
        return []
    names: dict[str, None] = {}
    for index, given in enumerate(trait.value):
        name = given.strip() if isinstance(given, str) else ""
        if not 0 < len(name) <= longest:
            problems.append(Problem(f"{trait.where}[{index}]", f"should be a name of 1 to {longest} characters"))
        elif reason := objection(name):
            problems.append(Problem(f"{trait.where}[{index}]", reason))
        else:
            names[name] = None
    if len(names) > MOST_TAGS:
        problems.append(Problem(trait.where, f"should be at most {MOST_TAGS} names; the first {MOST_TAGS} are taken"))
    return list(names)[:MOST_TAGS]


def _push_tokens(trait: _Trait, problems: list[Problem]) -> list[dict[str, str]]:
    """The devices of a list that can be used; of more than a contact may have, the last ones."""
    if not isinstance(trait.value, list):
        problems.append(Problem(trait.where, push_tokens.problem(trait.value)))
        return []
    devices: list[dict[str, str]] = []
    for index, device in enumerate(trait.value):
        if reason := push_tokens.device_problem(device) or token_objection(device["token"]):
            problems.append(Problem(f"{trait.where}[{index}]", reason))
        else:
            devices.append(dict(device))
    if len(devices) > push_tokens.MOST:
        problems.append(Problem(trait.where, f"{push_tokens.problem(devices)}; the last {push_tokens.MOST} are taken"))
    return devices[-push_tokens.MOST :]


_READERS: Final[Mapping[str, Callable[[_Trait, list[Problem]], Any]]] = {
    "consent": _consent,
    "tags": _tags,
    "remove_tags": _tags,
    "groups": _joined_groups,
    "leave_groups": _groups,
    push_tokens.ATTRIBUTE: _push_tokens,
}
"""Traits with a meaning of their own, and who reads them."""
