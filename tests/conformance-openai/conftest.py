"""The stand-in for OpenAI's administration API, and what our tables say of it."""

import contextlib
import json
import subprocess

import openai
import pytest


def example(name):
    return ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter-openai", "--features", "testing", "--example", name]


@pytest.fixture(scope="session")
def ours():
    return json.loads(subprocess.run(example("openai_rows"), check=True, capture_output=True).stdout)


@pytest.fixture
def stand_in(tmp_path):
    """Serves a fixture in pages of a size, and gives OpenAI's own client of it."""
    with contextlib.ExitStack() as running:

        def serve(fixture, page):
            file = tmp_path / "fixture.json"
            file.write_text(json.dumps(fixture))
            command = [*example("stand_in"), "--", str(file), str(page)]
            server = running.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            running.callback(server.stdin.close)
            url = server.stdout.readline().strip()
            return openai.OpenAI(api_key="none", admin_api_key="sk-admin-test", base_url=url, max_retries=0)

        yield serve
