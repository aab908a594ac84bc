"""Every exception Waypost raises; the class name is the error name a state machine catches.

WaypostError
├── RetryableError              the same call may succeed later; Step Functions and SQS try it again
│   ├── ConcurrentUpdate        another writer was first, too many times in a row
│   └── TemporarilyUnavailable  a service throttled us or could not be reached
└── FinalError                  trying again cannot help
    ├── ServiceRefused          a service refused the call for good (access denied, invalid parameter)
    ├── InvalidInput            a payload or file is wrong; names the field and the way out
    ├── ContactNotFound         no contact has this id
    ├── EnrolmentNotFound       no enrolment has this id
    ├── HopSuperseded           the enrolment is held by another hop: this one stops
    ├── UnknownMessage          no published message has this id
    ├── GoalReached             ends the body of a journey: its goal event arrived
    └── JourneyExited           ends the body of a journey: an exit event arrived
"""


class WaypostError(Exception):
    """Anything Waypost raises on purpose."""


class RetryableError(WaypostError):
    """The same call may succeed later."""


class ConcurrentUpdate(RetryableError):
    """Another writer changed the item first, more often than we were willing to try."""


class TemporarilyUnavailable(RetryableError):
    """A service throttled the call or could not be reached; nothing was done."""


class FinalError(WaypostError):
    """Trying again cannot help."""


class ServiceRefused(FinalError):
    """A service refused the call for good: missing permission, invalid parameter, missing resource."""


class InvalidInput(FinalError):
    """A payload or a file is wrong.

    ``field`` is the path of what is wrong (``batch[3].event``), ``reason`` says what was expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class ContactNotFound(FinalError):
    """No contact has this id."""


class EnrolmentNotFound(FinalError):
    """No enrolment has this id."""


class HopSuperseded(FinalError):
    """The enrolment is held by another hop: it was given out again, or this execution is a double."""


class UnknownMessage(FinalError):
    """The journey has no message of this name."""


class GoalReached(FinalError):
    """The journey's goal event arrived; caught once around the body of the journey."""


class JourneyExited(FinalError):
    """One of the journey's exit events arrived; caught once around the body of the journey."""
