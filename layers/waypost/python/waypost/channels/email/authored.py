"""A mail as authored: ``email.<locale>.mjml``, an optional ``email.<locale>.txt``, and ``subject`` in ``message.yaml``."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from waypost.channels.authored_contract import LOCALE, AuthoredChannel, Missing, Source, UnusableFile, read
from waypost.channels.email.authored_mail import BrokenMjmlError, compile_mail
from waypost.content.templates import HTML, TEXT

_Subjects = dict[Annotated[str, Field(pattern=f"^{LOCALE}$")], Annotated[str, Field(min_length=1, max_length=200)]]


class AuthoredEmail(AuthoredChannel):
    """Mail is written in MJML; its text part is made from it unless a text file is given."""

    kind = "mjml"
    companion = "txt"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {"subject": (_Subjects, Field(default_factory=dict))}

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        subject, field = source.fields["subject"].get(source.locale, ""), f"subject.{source.locale}"
        source.templates.check(source.manifest, field, subject, TEXT)
        if "\n" in subject:
            raise UnusableFile(source.manifest, field, "has more than one line")
        source.templates.check_names(source.path, "", source.text)
        try:
            html, text = compile_mail(source.text, source.include)
        except BrokenMjmlError as error:
            raise UnusableFile(source.path, "", str(error)) from None
        source.templates.check(source.path, "", html, HTML)
        text_path = source.path.with_suffix(".txt")
        if text_path.exists():
            text = read(text_path)
        else:
            text_path = source.path
        source.templates.check(text_path, "", text, TEXT)
        if source.is_marketing:
            for place, template, kind in ((source.path, html, HTML), (text_path, text, TEXT)):
                if source.unsubscribe_url not in source.templates.shown(template, kind):
                    raise UnusableFile(place, "", "marketing mail must show the link {{ links.unsubscribe }}")
        return {"subject": subject, "html": html, "text": text}

    def missing(
        self, channel: str, fields: Mapping[str, Any], *, locales: Collection[str], default_locale: str
    ) -> Iterator[Missing]:
        """A subject without its mail, or a mail without its subject."""
        for locale in sorted(set(locales) ^ set(fields["subject"])):
            if locale in locales:
                yield Missing("message.yaml", f"subject.{locale}", "is missing")
            elif locale != default_locale:  # the default locale's file is asked for of every channel
                yield Missing(f"{channel}.{locale}.mjml", "", "is missing: message.yaml has a subject for it")


AUTHORED: Final = AuthoredEmail()
