"""A labelled sample, from the command line to the subscriber."""

import subprocess

REGION = "eu-west-1"


def test_a_sample_event_is_published_and_says_that_nothing_happened(aws, deploy_hub, account, binaries):
    hub, findings = deploy_hub(account, REGION)

    sent = subprocess.run(
        [binaries["tripmeter"], "sample-event", "--queue-url", hub.outputs["UsageQueueUrl"],
         "--table", hub.outputs["FindingsTable"], "--wait", "60"],
        env=hub.environment(), capture_output=True, text=True,
    )

    assert sent.returncode == 0, sent.stderr
    aws.settle()
    assert any("[SAMPLE]" in message["Body"] for message in findings.read())
