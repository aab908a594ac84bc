"""``python -m personas``: a run against a deployed table. What the container image starts, with the role of its task."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from personas.clustering import KMeansGrouper
from personas.files import write_cards
from personas.ports import Bounds
from personas.running import PersonaRun
from waypost.aws.clients import bulk_client
from waypost.aws.contacts import DynamoContacts
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.clock import clock
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once; the exit status is 1 for a base that has no personas in it."""
    given = _parser().parse_args(arguments)
    scan = DynamoProfileScan(bulk_client("dynamodb"), given.table)

    def profiles() -> Iterator[Contact]:
        for page in scan.slice(0, 1):
            yield from page

    run = PersonaRun(
        profiles=profiles,
        grouper=KMeansGrouper(),
        store=None if given.dry_run else DynamoContacts(bulk_client("dynamodb"), given.table),
        now=clock()(),
        bounds=Bounds(given.fewest, given.most, given.seed),
    )
    try:
        found = run.run()
    except InvalidInput as refused:
        sys.stderr.write(f"error: {refused}\n")
        return 1
    if given.cards is not None:
        write_cards(found, given.cards)
    sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    standard = Bounds()
    parser = argparse.ArgumentParser(prog="personas", description="Group all contacts by what they do.")
    parser.add_argument("--table", required=True, help="the contacts table (ContactsTableName of the stack)")
    parser.add_argument("--fewest", type=int, default=standard.fewest, help="fewest personas that are tried")
    parser.add_argument("--most", type=int, default=standard.most, help="most personas that are tried")
    parser.add_argument("--seed", type=int, default=standard.seed, help="of chance; the same seed, the same personas")
    parser.add_argument("--cards", type=Path, help="a folder for a page about each persona")
    parser.add_argument("--dry-run", action="store_true", help="write nothing into the profiles")
    return parser


if __name__ == "__main__":
    sys.exit(main())
