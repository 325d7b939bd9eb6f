//! The OpenAI- and Anthropic-compatible door of Bedrock (`bedrock-mantle.amazonaws.com`).
//!
//! Inference is a data event of its own event source: whoever watches `bedrock.amazonaws.com` does not see it.
//! Source: "Monitor bedrock-mantle API calls using CloudTrail", Amazon Bedrock User Guide.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, context, policy, probe, service, spend};
use PolicyEffect::AccessEnabled;

const MODEL: About = About::Model(&["model"]);
const DATA: &str = "AWS::BedrockMantle::Project";
const NO_SDK: &str = "called over HTTP, with the SDKs of OpenAI and Anthropic";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::BedrockMantle,
    &[],
    [
        probe("ListModels", "which models there are").outside_sdk(NO_SDK),
        probe("GetModel", "what a model can do").about(MODEL).outside_sdk(NO_SDK),
        probe("ListProjects", "which projects there are").outside_sdk(NO_SDK),
        policy("CreateProject", AccessEnabled, "makes a project").routine().outside_sdk(NO_SDK),
        policy("UpdateProject", AccessEnabled, "changes a project").routine().outside_sdk(NO_SDK),
        context("ArchiveProject", "a project put away").outside_sdk(NO_SDK),
        context("CancelFineTuningJob", "a training stopped").outside_sdk(NO_SDK),
        spend("CreateInference", "a model answers").about(MODEL).data(DATA).outside_sdk(NO_SDK),
        spend("CreateFineTuningJob", "a model is trained").about(MODEL).counts(Measure::Job(1_000)).outside_sdk(NO_SDK),
    ],
);
