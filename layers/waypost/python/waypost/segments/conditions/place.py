"""locale, region: the language a contact reads, the province or city it lives in."""

from collections.abc import Callable
from typing import Final, Self, final

from waypost.segments.condition import Condition, Decision, compiled, condition
from waypost.segments.generating import Code
from waypost.segments.grouped_names import names_in
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.time_words import call
from waypost.segments.vocabulary import Rule
from waypost.segments.wording import Language, names_in_words, phrase, value_in_words

LOCALE_ATTRIBUTE: Final = "locale"
REGION_ATTRIBUTES: Final = ("city", "province")


@condition("locale")
@final
class Locale(Condition):
    """The contact reads one of the languages, in any region and script unless one is named."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(names_in(rule, "locale"))

    def reads(self) -> Reads:
        return Reads(attributes=frozenset({LOCALE_ATTRIBUTE}))

    def compile(self, code: Code) -> str:
        wanted = [_language_tag(name) for name in self.names]

        def holds(subject: Subject) -> bool:
            locale = subject.attributes.get(LOCALE_ATTRIBUTE)
            if not isinstance(locale, str):
                return False
            tag = _language_tag(locale)
            return any(tag == each or tag.startswith(f"{each}-") for each in wanted)

        return call(code, holds)

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "reads {}", "语言为 {}", names_in_words(self.names, "any_of", language))

    def values(self, subject: Subject, language: Language) -> str:
        return value_in_words(LOCALE_ATTRIBUTE, subject.attributes.get(LOCALE_ATTRIBUTE), language)


def _language_tag(text: str) -> str:
    """``zh_CN`` and ``zh-cn`` are ``zh-CN``."""
    return text.replace("_", "-").casefold()


@condition("region")
@final
class LivesIn(Condition):
    """The contact lives in one of the provinces or cities, in any spelling; a city is in its province too."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, rule: Rule) -> Self:
        return cls(names_in(rule, "region"))

    def reads(self) -> Reads:
        return Reads(attributes=frozenset(REGION_ATTRIBUTES))

    def compile(self, code: Code) -> str:
        return call(code, _lives_in(self.names))

    def decide(self) -> Decision:
        return compiled(self)

    def say(self, language: Language) -> str:
        return phrase(language, "lives in {}", "在 {}", names_in_words(self.names, "any_of", language))

    def values(self, subject: Subject, language: Language) -> str:
        return ", ".join(value_in_words(each, subject.attributes.get(each), language) for each in REGION_ATTRIBUTES)


def _lives_in(names: tuple[str, ...]) -> Callable[[Subject], bool]:
    from waypost.contacts.cleaning.regions import Region, province_of, region  # noqa: PLC0415 - reads a table that few need

    written = frozenset(name.casefold() for name in names)
    wanted = {
        found.code
        for name in names
        for found in (region(name, "province"), region(name, "city"))
        if isinstance(found, Region)
    }

    def holds(subject: Subject) -> bool:
        city, province = (subject.attributes.get(each) for each in REGION_ATTRIBUTES)
        if isinstance(city, str):
            if city.casefold() in written:
                return True
            found = region(city, "city")
            if isinstance(found, Region) and (found.code in wanted or province_of(found).code in wanted):
                return True
        if isinstance(province, str):
            inside = region(province, "province")
            return province.casefold() in written or (isinstance(inside, Region) and inside.code in wanted)
        return False

    return holds
