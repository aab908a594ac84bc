"""A message of a group robot as authored: ``robot.<locale>.txt``."""

import re
from typing import Final

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile
from waypost.channels.robot.channel import CHANNEL, RenderedRobot
from waypost.content.templates import TEXT

_OF_ONE_MEMBER: Final = re.compile(r"links\.(task|approval)\b")


class AuthoredRobot(AuthoredChannel):
    """A message of a robot is its text."""

    kind = "txt"

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel. Only staff get it, so that marketing has no place there."""
        if source.is_marketing:
            raise UnusableFile(source.manifest, "kind", "a robot speaks to staff: its messages are transactional")
        text = source.text.strip()
        if not text:
            raise UnusableFile(source.path, "", "is empty")
        if found := _OF_ONE_MEMBER.search(text):
            reason = (
                f"{found[0]} is a member's own link, and a whole group reads this: links.task_in_group may stand here"
            )
            raise UnusableFile(source.path, "", reason)
        source.templates.check(source.path, "", text, TEXT)
        if reason := CHANNEL.over_limit(RenderedRobot(source.templates.shown(text, TEXT))):
            raise UnusableFile(source.path, "", reason)
        return {"text": text}


AUTHORED: Final = AuthoredRobot()
