"""Fills a message's templates in for one contact. Called by the channels when the sender renders a message."""

from dataclasses import dataclass

from waypost.content.templates import HTML, TEXT, BrokenTemplateError, Prepared, UnknownVariableError, fill
from waypost.errors import FinalError


class MessageNotRenderable(FinalError):
    """A message cannot be filled in for this contact; the text names the variable, never a value."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills in the templates of one message for one contact.

    ``values`` are those of ``templates.prepared``; ``place`` names the file in errors.
    """

    values: Prepared
    place: str

    def text(self, template: str) -> str:
        """Plain text, nothing escaped. Raises MessageNotRenderable."""
        return self._fill(template, TEXT)

    def html(self, template: str) -> str:
        """HTML, with values escaped. Raises MessageNotRenderable."""
        return self._fill(template, HTML)

    def required(self, text: str) -> str:
        """``text`` itself. Raises MessageNotRenderable when it is empty."""
        if not text:
            raise MessageNotRenderable(f"{self.place}: nothing is left of it")
        return text

    def _fill(self, template: str, kind: str) -> str:
        try:
            return fill(template, self.values, kind)
        except UnknownVariableError as error:
            raise MessageNotRenderable(f"{self.place}: {error.variable or 'a variable'} is unknown") from None
        except BrokenTemplateError as error:
            raise MessageNotRenderable(f"{self.place}: {error.reason} in line {error.line}") from None
