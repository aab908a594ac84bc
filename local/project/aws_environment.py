"""Which account and region the credentials of this machine lead to. Used by ``waypost bootstrap``."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.problems import LocalError


def environment_on_aws(*, profile: str = "", region: str = "") -> str:
    """The environment as the CDK names it: ``aws://123456789012/eu-west-1``. Raises LocalError without access or a region."""
    wanted = "choose credentials and a region: AWS_PROFILE, AWS_REGION"
    try:
        session = boto3.Session(profile_name=profile or None, region_name=region or None)
        if not session.region_name:
            raise LocalError("no region is chosen", wanted)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"the AWS account could not be reached: {error}", wanted) from error
    return f"aws://{account}/{session.region_name}"
