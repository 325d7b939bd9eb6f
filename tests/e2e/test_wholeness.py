"""The deployed detector works as a whole, and a template that lacks one thing does not."""

from pathlib import Path

import pytest

from mutations import mutations
from stack import read_template, translated
from wholeness import PARAMETERS, Wholeness

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION = "us-east-1"
MUTATIONS = dict(mutations(translated(read_template(TEMPLATE), {}, "artifacts")))


def problems(aws, deploy_hub, account, mutate=lambda plain: None):
    try:
        hub, findings = deploy_hub(account, REGION, mutate=mutate, **PARAMETERS)
    except RuntimeError as refused:
        return [str(refused)]
    return Wholeness(aws, hub, findings, read_template(TEMPLATE)).problems()


def test_the_deployed_detector_works_from_end_to_end(aws, deploy_hub, account):
    assert problems(aws, deploy_hub, account) == []


@pytest.mark.mutants
@pytest.mark.parametrize("what", MUTATIONS)
def test_a_template_that_lacks_anything_does_not(aws, deploy_hub, account, what):
    assert problems(aws, deploy_hub, account, MUTATIONS[what])
