"""Says why a finding of the security rules is right as it is. Used wherever a construct departs from a rule."""

import re
from typing import Any

from aws_cdk import Acknowledgment, Names, Reference, Stack, Tokenization, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, *, because: str) -> None:
    """Accept one finding (``AwsSolutions-SMG4``) for this construct, with the reason a reviewer needs."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=because))


def acknowledge_wildcard(construct: IConstruct, resource: str, *, because: str) -> None:
    """Accept a policy of ``construct`` whose resource ends in ``*``, because AWS or the design demands it."""
    acknowledge(construct, f"AwsSolutions-IAM5[Resource::{_readable(construct, resource)}]", because=because)


def _readable(construct: IConstruct, resource: str) -> str:
    """The spelling that the rules give to a resource: ``arn:<AWS::Partition>:sqs:<AWS::Region>:…``.

    What another stack holds comes into a nested one as a parameter, and is spelled by the parameter's name.
    """

    def flat(value: Any) -> str:
        match value:
            case {"Ref": name}:
                return f"<{name}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(flat(part) for part in parts)
            case _:
                return re.sub(r"\$\{([^}]*)\}", r"<\1>", str(value))

    stack = Stack.of(construct)
    text = flat(stack.resolve(resource))
    for token in Tokenization.reverse_string(resource).tokens:
        if isinstance(token, Reference) and Stack.of(token.target) is not stack:
            name = f"referenceto{Names.node_unique_id(token.target.node)}{token.display_name}"
            text = text.replace(flat(stack.resolve(token)), f"<{name}>")
    return text
