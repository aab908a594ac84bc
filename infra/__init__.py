"""Waypost as a CDK app. Importing it makes the Node.js of the installed wheels the one that the CDK starts."""

from infra.node import use_bundled_node

use_bundled_node()
