"""``waypost init``, ``check``, ``synth``, ``deploy`` and ``docs``: a project from its making to AWS. Added to ``waypost``."""

from pathlib import Path
from typing import Annotated

import typer

from infra.project import ROOT
from local.commands.output import EXPECTATION_FAILED, AsJson, print_json
from local.commands.tables import console_for
from local.project.current_project import current_project

app = typer.Typer()


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="Where the new project goes, for example ../our-marketing.")],
    requirement: Annotated[
        str,
        typer.Option(
            help="How its requirements.txt names Waypost: a version, or 'waypost @ <url of a wheel or a repository>'."
            " Default: the version that is installed here."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a repository for a company's own journeys, with Waypost as a dependency."""

    from local.project.init_project import init_project, installed_requirement  # noqa: PLC0415 - for this command alone

    written = init_project(folder, requirement=requirement or installed_requirement())
    if as_json:
        print_json({"folder": str(folder.resolve()), "files": [str(path) for path in written]})
        return
    console_for().print(f"{len(written)} files in {folder}. Read {folder / 'README.md'} next; then waypost demo there.")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check every authored file of the project: journeys, messages, segments, scenarios. Exit status 1 when one is wrong."""

    from local.project.content_check import check_content  # noqa: PLC0415 - the language of journeys takes a second to load

    checked = check_content(current_project())
    if as_json:
        print_json({"counts": checked.counts, "problems": checked.problems})
    elif checked.problems:
        console_for().print("\n".join(checked.problems), markup=False, highlight=False)
    else:
        found = ", ".join(f"{count} {kind}" for kind, count in checked.counts.items())
        console_for().print(f"[green]✓[/green] {found}")
    if checked.problems:
        raise typer.Exit(EXPECTATION_FAILED)


@app.command()
def synth(
    context: Annotated[
        list[str] | None,
        typer.Option("--context", "-c", metavar="KEY=VALUE", help="A choice of the deployment; may be repeated."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where the assembly goes; cdk.out by default.")] = None,
) -> None:
    """Write the CloudFormation template of the project to cdk.out."""

    from infra.app import main  # noqa: PLC0415 - the CDK takes two seconds to load

    pairs = [part for pair in context or [] for part in ("-c", pair)]
    raise typer.Exit(main([*pairs, *(["--output", str(output)] if output else [])], project=current_project()))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def deploy(ctx: typer.Context) -> None:
    """Deploy the project to the AWS account of your credentials. Options go to the CDK: -c stage=prod, --no-execute.

    First it is planned what happens to the contacts in changed journeys, as waypost journey plan shows; then it is done.
    """

    from infra import deploy as deploying  # noqa: PLC0415 - brings Node, for this command alone
    from local.commands.live_changes import deploy as deploy_with_contacts  # noqa: PLC0415 - boto3, the same

    project, options = current_project(), deploying.chosen(ctx.args)
    raise typer.Exit(
        deploy_with_contacts(
            lambda *further: deploying.deploy(project, [*ctx.args, *further]),
            protects="protected" not in options and "--no-execute" not in ctx.args,
            stage=options.get("stage", project.stage),
            profile=options.get("profile", ""),
            region=options.get("region", ""),
        )
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bootstrap(ctx: typer.Context) -> None:
    """Prepare the AWS account and region of your credentials for deployments, once. Options go to the CDK: --profile, --region."""

    from infra import deploy as deploying  # noqa: PLC0415 - brings Node, for this command alone
    from local.project.aws_environment import environment_on_aws  # noqa: PLC0415 - boto3, the same

    options = deploying.chosen(ctx.args)
    environment = environment_on_aws(profile=options.get("profile", ""), region=options.get("region", ""))
    raise typer.Exit(deploying.bootstrap(current_project(), environment, ctx.args))


@app.command()
def docs(as_json: AsJson = False) -> None:
    """Say where the guides of the installed version are."""

    guides = sorted((ROOT / "docs").glob("*.md"))
    if as_json:
        print_json([str(path) for path in guides])
        return
    for path in guides:
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        console_for().print(f"{path}  [dim]{title}[/dim]", soft_wrap=True)
