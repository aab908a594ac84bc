"""Mail through Amazon SES v2. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws.provider_errors import answer_to
from waypost.sending.channels import Accepted, Answer, OutgoingEmail


@dataclass(frozen=True, slots=True)
class SesEmail:
    """An EmailChannel on SES. ``client`` makes one attempt per call; ``sender`` is the From address."""

    client: Any
    sender: str
    configuration_set: str

    def send(self, email: OutgoingEmail) -> Answer:
        """See EmailChannel. The message key travels as a tag, so that SES's own events carry it."""
        content = email.content
        simple = {
            "Subject": {"Data": content.subject, "Charset": "UTF-8"},
            "Body": {
                "Html": {"Data": content.html, "Charset": "UTF-8"},
                "Text": {"Data": content.text, "Charset": "UTF-8"},
            },
            "Headers": [{"Name": name, "Value": value} for name, value in email.headers.items()],
        }
        try:
            answer = self.client.send_email(
                FromEmailAddress=self.sender,
                Destination={"ToAddresses": [email.to]},
                Content={"Simple": simple},
                EmailTags=[{"Name": name, "Value": value} for name, value in email.tags.items()],
                ConfigurationSetName=self.configuration_set,
            )
        except (ClientError, BotoCoreError) as error:
            return answer_to(error)
        return Accepted(answer["MessageId"])
