"""One run: read everybody, find the groups, name them, and write into each profile which one it is in.

Called by ``python -m personas`` and ``waypost personas``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from personas.features import BEHAVIOUR, Feature, by_name, row_of, tag_features
from personas.naming import names_of
from personas.ports import Bounds, Grouper
from waypost.audiences.persona import Tally
from waypost.audiences.persona_card import Card, card_of
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.metrics.declaration import PERSONA
from waypost.segments.buckets import bucket
from waypost.segments.subject import subject_of

FEWEST_CONTACTS: Final = 50
"""Fewer are people one knows, not personas."""

MOST_ROWS: Final = 200_000
"""Contacts that the groups are found among; beyond that a sample of everybody, by a hash of the id. All are assigned."""

ATTEMPTS: Final = 5
_PAGE: Final = 1_000
_SALT: Final = "personas"
_BUCKETS: Final = 1_000_000

Profiles = Callable[[], Iterable[Contact]]
"""Reads all living profiles; a run reads them twice."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A group: its name, how many contacts are in it, and how far it is from everybody in each feature."""

    name: str
    contacts: int
    centre: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found and did; ``cards`` are in the order of ``personas``. ``changed`` profiles were written."""

    personas: Sequence[Persona]
    silhouettes: Mapping[int, float]
    contacts: int
    changed: int
    cards: Sequence[Card] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the cards."""
        return {
            "contacts": self.contacts,
            "changed": self.changed,
            "silhouettes": {str(clusters): round(score, 4) for clusters, score in self.silhouettes.items()},
            "personas": [
                {
                    "name": each.name,
                    "contacts": each.contacts,
                    "centre": {name: round(distance, 2) for name, distance in each.centre.items()},
                }
                for each in self.personas
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRun:
    """``store`` is None when nothing is to be written."""

    profiles: Profiles
    grouper: Grouper
    store: ContactStore | None
    now: datetime
    bounds: Bounds = field(default_factory=Bounds)

    def run(self) -> Found:
        """Find the personas and assign everybody. Raises InvalidInput for a base too small or too uniform."""
        sample = self._sample()
        if len(sample) < FEWEST_CONTACTS:
            raise InvalidInput("contacts", f"are {len(sample)}; personas need at least {FEWEST_CONTACTS}")
        features = [*BEHAVIOUR, *tag_features(sample, self.now)]
        grouping = self.grouper.group([row_of(contact, features, self.now) for contact in sample], self.bounds)
        names = names_of(grouping.centres, features)
        return self._assign(features, names, grouping.centres, grouping.assign, grouping.silhouettes)

    def _sample(self) -> list[Contact]:
        """At most twice ``MOST_ROWS`` profiles, in the order of their ids, whatever the order in which they come."""
        below, kept = _BUCKETS, dict[str, Contact]()
        for contact in self.profiles():
            if bucket(contact.contact_id, _SALT, _BUCKETS) < below:
                kept[contact.contact_id] = contact
            if len(kept) > 2 * MOST_ROWS:
                below //= 2
                kept = {each: one for each, one in kept.items() if bucket(each, _SALT, _BUCKETS) < below}
        return [kept[contact_id] for contact_id in sorted(kept)]

    def _assign(
        self,
        features: Sequence[Feature],
        names: Sequence[str],
        centres: Sequence[Sequence[float]],
        assign: Callable[[Sequence[Sequence[float]]], list[int]],
        silhouettes: Mapping[int, float],
    ) -> Found:
        sizes: Counter[int] = Counter()
        tallies, base, changed = [Tally() for _ in names], Tally(), 0
        for page in _pages(self.profiles()):
            groups = assign([row_of(contact, features, self.now) for contact in page])
            for contact, group in zip(page, groups, strict=True):
                sizes[group] += 1
                subject = subject_of(contact, now=self.now)
                tallies[group].add(subject)
                base.add(subject)
                changed += self._store(contact, names[group])
        found = [Persona(name, sizes[group], by_name(features, centres[group])) for group, name in enumerate(names)]
        cards = [
            card_of(tally, base, name=name, at=self.now, contacts=base.contacts)
            for name, tally in zip(names, tallies, strict=True)
        ]
        return Found(found, silhouettes, base.contacts, changed, cards)

    def _store(self, contact: Contact, persona: str) -> bool:
        """Whether the profile was written: it had another persona, and is still there."""
        known: Contact | None = contact
        for _ in range(ATTEMPTS if self.store is not None else 0):
            if known is None or known.erased or known.contact_id != contact.contact_id:
                return False
            if known.metrics.get(PERSONA) == persona:
                return False
            changed = replace(known, metrics={**known.metrics, PERSONA: persona})
            if self.store is not None and self.store.save(changed, claim={}):
                return True
            known = self.store.load(contact.contact_id) if self.store is not None else None
        return False  # changed by others all the time; the next run will find it


def _pages(contacts: Iterable[Contact]) -> Iterator[list[Contact]]:
    left = iter(contacts)
    while page := list(islice(left, _PAGE)):
        yield page
