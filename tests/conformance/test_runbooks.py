"""What the runbooks tell a person to type exists: commands of the AWS CLI, operations, settings, columns."""

import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

from aws_cli import problem, session

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))

# Of the table that the Athena guide creates for CloudTrail.
COLUMNS = set(
    """useridentity eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage
    requestparameters responseelements additionaleventdata requestid eventid readonly resources eventtype
    recipientaccountid sharedeventid vpcendpointid""".split()
)
SQL = set(
    """select from where and or in like between group by order desc asc as count min max coalesce date_trunc
    from_iso8601_timestamp json_extract_scalar cloudtrail_logs""".split()
)

SERVICES = """account bedrock bedrock-runtime budgets cloudtrail iam marketplace-agreement
    pinpoint-sms-voice-v2 service-quotas ses sesv2 sns freetier""".split()


def blocks(language):
    for page in PAGES:
        text = page.read_text()
        for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
            yield page.name, block


def test_every_command_exists_in_the_aws_cli_with_its_options():
    lines = [(page, line) for page, block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    commands = [(page, line.strip()) for page, line in lines if line.strip()]

    problems = {line: (page, wrong) for page, line in commands if (wrong := problem(shlex.split(line)))}

    assert len(commands) > 40
    assert not problems


def test_a_command_that_does_not_exist_would_be_noticed():
    assert problem(shlex.split("aws iam update-access-key --user-name u")).startswith("unknown [], missing")
    assert problem(shlex.split("aws iam update-access-key --access-key-id k --status Off")).startswith("Off")
    assert problem(shlex.split("aws iam update-access-key --access-key-id k --status Active --colour red"))
    assert problem(shlex.split("aws iam switch-off")) == "no operation switch-off"


def test_queries_use_the_columns_of_the_cloudtrail_table():
    unknown = {}
    for page, block in blocks("sql"):
        words = re.sub(r"'[^']*'", "", block)
        aliases = {alias.lower() for alias in re.findall(r"\bAS (\w+)", words)}
        names = {name.lower() for name in re.findall(r"(?<![.\w])[A-Za-z_]\w*", words)}
        if wrong := names - aliases - COLUMNS - SQL:
            unknown[page] = wrong

    assert not unknown


@cache
def known_names():
    """Settings, families of findings, and operations of the services that the pages speak of."""
    run = subprocess.run(
        ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter", "--", "settings"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = set(re.findall(r"\b[A-Z][A-Za-z]+\b", run.stdout))
    names |= set(re.findall(r"\[([A-Z][A-Za-z]+)\]", (ROOT / "docs/runbooks/README.md").read_text()))
    for service in SERVICES:
        names |= set(session().get_service_model(service).operation_names)
    return names


def test_settings_families_and_operations_that_are_named_exist():
    of_iam = {"AWSCompromisedKeyQuarantine"}
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`((?=[A-Z]*[a-z])[A-Z][a-z]*[A-Z][A-Za-z]+)`", page.read_text())
    }

    unknown = {(page, name) for page, name in named if name not in known_names() | of_iam}

    assert len(named) > 15
    assert not unknown


def test_links_between_pages_lead_somewhere():
    broken = {
        (page.name, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())
        if "://" not in link and not (page.parent / link).is_file()
    }

    assert not broken
