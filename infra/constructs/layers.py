"""The three Lambda layers: the dependencies, Waypost's own package, and the published journeys."""

import tempfile
from pathlib import Path

from aws_cdk import Annotations, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import Built, Target, dependency_layer, source_layer
from infra.deployment import Deployment
from infra.project import PACKAGE_ROOT
from waypost.authoring.publishing import publish

_NO_BYTECODE = (
    "No Python {python} was found to compile the layers, so they have no bytecode and cold starts take 2.3 to 2.7 times "
    "as long. Put python{python} on PATH, or choose the runtime of an interpreter that is there (-c runtime=…)."
)


class Layers(Construct):
    """Builds the layers for the target runtime and holds them in ``versions``, in the order functions take them.

    With ``aws:cdk:bundling-stacks: []`` in the context nothing is built: the sources stand in for the layers, which
    is enough to look at the template.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Layers")
        self._deployment = deployment
        self._cache = deployment.layer_cache
        self._target = Target(
            python=deployment.runtime.removeprefix("python"),
            architecture=deployment.architecture,
            native=deployment.for_this_machine,
        )
        self.runtime = lambda_.Runtime(deployment.runtime, lambda_.RuntimeFamily.PYTHON)
        self.architecture = lambda_.Architecture.custom(deployment.architecture)

        self.versions = [
            self._version("Dependencies", "What the functions import from others", self._dependencies()),
            self._version("Waypost", "The package waypost", self._waypost()),
            self._version("Journeys", "The published journeys, as data", self._journeys()),
        ]

    def _dependencies(self) -> lambda_.Code:
        root = self._deployment.root
        contents = root / "layers" / "dependencies" / "contents.toml"
        if not Stack.of(self).bundling_required:
            return lambda_.Code.from_asset(str(contents.parent))
        requirements = root / "requirements" / "lambda.txt"
        return self._asset(
            dependency_layer(requirements=requirements, contents=contents, target=self._target, cache=self._cache)
        )

    def _waypost(self) -> lambda_.Code:
        if not Stack.of(self).bundling_required:
            return lambda_.Code.from_asset(str(PACKAGE_ROOT / "waypost"), exclude=["**/__pycache__", "**/authoring"])
        source = source_layer(source=PACKAGE_ROOT, packages=("waypost",), target=self._target, cache=self._cache)
        return self._asset(source)

    def _journeys(self) -> lambda_.Code:
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
            layer = Path(scratch)
            publish(self._deployment.content / "statemachines", layer)
            return self._asset(source_layer(source=layer / "python", target=self._target, cache=self._cache))

    def _asset(self, built: Built) -> lambda_.Code:
        if not built.compiled:
            message = _NO_BYTECODE.format(python=self._target.python)
            Annotations.of(self).add_warning_v2("waypost:no-bytecode", message)
        return lambda_.Code.from_asset(str(built.path), asset_hash=built.digest)

    def _version(self, name: str, description: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            description=description,
            compatible_runtimes=[self.runtime],
            compatible_architectures=[self.architecture],
        )
