//! Claude Platform on AWS (`aws-external-anthropic.amazonaws.com`).
//!
//! Nothing of it is measured in CloudWatch. Source: "IAM actions" and "Monitoring and logging", Claude Platform on
//! AWS User Guide.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, context, credential, policy, probe, service, spend};
use PolicyEffect::AccessEnabled;

const MODEL: About = About::Model(&["model"]);
const DATA: &str = "AWS::AWSExternalAnthropic::Workspace";
const NO_SDK: &str = "called over HTTP, with Anthropic's SDK";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::ClaudePlatform,
    &[],
    [
        probe("ListModels", "which models there are").data(DATA).outside_sdk(NO_SDK),
        probe("GetModel", "what a model can do").about(MODEL).data(DATA).outside_sdk(NO_SDK),
        probe("ListWorkspaces", "where there is something to use").outside_sdk(NO_SDK),
        policy("CreateWorkspace", AccessEnabled, "makes a workspace, which is billed on its own").outside_sdk(NO_SDK),
        policy("UpdateWorkspace", AccessEnabled, "changes a workspace").outside_sdk(NO_SDK),
        policy("CreateVault", AccessEnabled, "keeps credentials for agents").routine().outside_sdk(NO_SDK),
        credential("AssumeConsole", "opens a console session that outlives the caller's own")
            .grave().outside_sdk(NO_SDK),
        context("ArchiveWorkspace", "a workspace put away").outside_sdk(NO_SDK),
        context("CancelBatchInference", "a batch stopped").data(DATA).outside_sdk(NO_SDK),
        spend("CreateInference", "a model answers").about(MODEL).data(DATA).outside_sdk(NO_SDK),
        spend("CreateBatchInference", "a model answers a whole batch")
            .about(MODEL).counts(Measure::Job(1_000)).data(DATA).outside_sdk(NO_SDK),
        spend("CreateSession", "an agent begins to work").data(DATA).outside_sdk(NO_SDK),
    ],
);
