"""What the tests of the templates share."""

import json
import os
import subprocess
from functools import cache

import pytest
from stack import ROOT, source, translate

# The SAM translator asks for a region, and the SAM CLI would tell others that it was used.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ["SAM_CLI_TELEMETRY"] = "0"


@cache
def tripmeter(*arguments):
    """What the program prints."""
    program = ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter", "--", *arguments]
    return subprocess.run(program, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def rules():
    return json.loads(tripmeter("patterns", "--format", "json"))


@pytest.fixture(scope="session")
def catalogue():
    return json.loads(tripmeter("catalogue", "--format", "json"))


@pytest.fixture(scope="session")
def settings():
    return json.loads(tripmeter("settings", "--format", "json"))


@pytest.fixture(scope="session")
def translated():
    return translate(source())
