"""What a sender tells about a person (Segment traits), as identities and profile changes. Called by the receivers.

Names become snake_case. ``email`` and ``phone`` are identities as well as attributes; ``consent`` maps channels to yes or
no; ``tags`` is a list of names. A value of null removes the attribute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.contacts import cleaning
from waypost.contacts.cleaning import Cleaned, Unusable
from waypost.events.names import attribute_name, snake_case
from waypost.events.outcome import Problem

MOST_TAGS: Final = 100
LONGEST_TAG: Final = 100


@dataclass(slots=True)
class Traits:
    """What was read: ``identities`` and ``profile`` are clean; ``problems`` refuse the event, ``warnings`` do not."""

    identities: dict[str, str] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_traits(given: Mapping[str, Any], where: str, *, locale: str = "") -> Traits:
    """Read the traits found at the path ``where``; ``locale`` (cleaned) helps to read a phone number.

    A wrong e-mail or phone number is a problem, because it would become somebody's identity. A wrong locale or time zone
    is left out with a warning, because devices report strange ones and the declared defaults stand in for them.
    """
    traits = Traits()
    named = _with_our_names(given, where, traits.problems)
    _take("locale", named, cleaning.locale, traits, traits.warnings)
    _take("timezone", named, cleaning.time_zone, traits, traits.warnings)
    region = cleaning.region_of(traits.profile.get("locale") or locale)
    _take("email", named, cleaning.email, traits, traits.problems)
    _take("phone", named, lambda text: cleaning.phone(text, region=region), traits, traits.problems)
    traits.identities = {kind: traits.profile[kind] for kind in ("email", "phone") if traits.profile.get(kind)}
    for name, read in {"consent": _consent, "tags": _tags}.items():
        answer = named.pop(name, None)
        if answer is not None and answer.value is not None:
            traits.profile[name] = read(answer, traits.problems)
    traits.profile |= {name: trait.value for name, trait in named.items()}
    return traits


@dataclass(frozen=True, slots=True)
class _Trait:
    where: str
    value: Any


def _with_our_names(given: Mapping[str, Any], where: str, problems: list[Problem]) -> dict[str, _Trait]:
    named: dict[str, _Trait] = {}
    for key, value in given.items():
        path = f"{where}.{key}"
        try:
            name = attribute_name(key)
        except ValueError as error:
            problems.append(Problem(path, f"the name {error}"))
            continue
        if name in named and named[name].value != value:
            problems.append(Problem(path, f"should not differ from {named[name].where}: both are the attribute {name}"))
        named.setdefault(name, _Trait(path, value))
    return named


def _take(
    name: str, named: dict[str, _Trait], clean: Callable[[str], Cleaned], traits: Traits, unusable: list[Problem]
) -> None:
    """Move one trait into the profile, cleaned; an empty one counts as not given, null removes the attribute."""
    trait = named.pop(name, None)
    match trait:
        case None | _Trait(value=""):
            pass
        case _Trait(value=None):
            traits.profile[name] = None
        case _Trait(where, str(text)):
            match clean(text):
                case Unusable(reason):
                    unusable.append(Problem(where, reason))
                case value:
                    traits.profile[name] = value
        case _Trait(where, _):
            traits.problems.append(Problem(where, "should be text"))


def _consent(trait: _Trait, problems: list[Problem]) -> dict[str, bool]:
    if not isinstance(trait.value, dict):
        problems.append(Problem(trait.where, 'should map channels to true or false, for example {"email": true}'))
        return {}
    consent: dict[str, bool] = {}
    for channel, answer in trait.value.items():
        name = snake_case(channel)
        if not name or not isinstance(answer, bool):
            problems.append(Problem(f"{trait.where}.{channel}", "should be a channel with true or false"))
        else:
            consent[name] = answer
    return consent


def _tags(trait: _Trait, problems: list[Problem]) -> list[str]:
    tags = trait.value
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        problems.append(Problem(trait.where, "should be a list of names"))
        return []
    names = [tag.strip() for tag in tags]
    if len(names) > MOST_TAGS or not all(0 < len(name) <= LONGEST_TAG for name in names):
        problems.append(Problem(trait.where, f"should be at most {MOST_TAGS} names of 1 to {LONGEST_TAG} characters"))
    return list(dict.fromkeys(names))
