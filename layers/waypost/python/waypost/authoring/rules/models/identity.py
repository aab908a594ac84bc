"""identity: by what a contact is known."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from waypost.authoring.problems import Authored
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import Name
from waypost.events.envelope import IDENTITY_KINDS


@model("identity")
class IdentityRule(Authored):
    """The contact is known by an identity of a kind."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "addresses",
            "identity",
            f"is known by such an identity: {', '.join(f'`{kind}`' for kind in IDENTITY_KINDS)}",
            "{ identity: user_id }",
        ),
        Says(
            "addresses",
            "identity … account",
            "has an openid of this WeChat account (follows it, or uses the mini program)",
            "{ identity: openid, account: wx-shop }",
        ),
    )

    identity: Literal["user_id", "anonymous_id", "unionid", "external_userid", "openid", "email", "phone"]
    account: Name | None = None

    @model_validator(mode="after")
    def _has_accounts(self) -> Self:
        if self.account is not None and self.identity != "openid":
            raise ValueError(f"'account' goes with openid alone; {self.identity!r} is the same in every account")
        return self
