//! Amazon Bedrock AgentCore (`bedrock-agentcore.amazonaws.com`): agents, and the tools that they run.
//!
//! Source: AgentCore API references, data plane and control plane; "Supported data events" of CloudTrail.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, context, policy, probe, service, spend};
use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened};

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::AgentCore,
    &["bedrock-agentcore", "bedrock-agentcore-control"],
    [
        probe("ListAgentRuntimes", "which agents there are"),
        probe("ListHarnesses", "which agents there are"),
        probe("ListGateways", "which tools are open to agents"),
        probe("ListApiKeyCredentialProviders", "which keys are kept for agents"),
        policy("CreateAgentRuntime", AccessEnabled, "makes an agent").routine(),
        policy("UpdateAgentRuntime", AccessEnabled, "changes an agent").routine(),
        policy("CreateAgentRuntimeEndpoint", AccessEnabled, "makes an agent callable").routine(),
        policy("CreateHarness", AccessEnabled, "makes an agent").routine(),
        policy("CreateGateway", AccessEnabled, "opens tools to agents").routine(),
        policy("CreateBrowser", AccessEnabled, "gives agents a browser").routine(),
        policy("CreateCodeInterpreter", AccessEnabled, "lets agents run code").routine(),
        policy("CreateApiKeyCredentialProvider", AccessEnabled, "keeps a key for agents").routine(),
        policy("UpdateGatewayRateLimit", LimitRaised, "changes how often a gateway may be called"),
        policy("DeleteGatewayRateLimit", LimitRaised, "lets a gateway be called at any rate"),
        policy("CreatePaymentInstrument", AccessEnabled, "lets agents pay"),
        policy("PutResourcePolicy", PolicyOpened, "lets other accounts use an agent")
            .about(About::Resource(&["resourceArn"])),
        context("DeleteAgentRuntime", "an agent removed"),
        context("DeleteHarness", "an agent removed"),
        context("DeleteGateway", "a gateway removed"),
        context("StopRuntimeSession", "an agent stopped"),
        spend("InvokeAgentRuntime", "an agent answers")
            .about(About::Resource(&["agentRuntimeArn"])).data("AWS::BedrockAgentCore::Runtime"),
        spend("InvokeAgentRuntimeCommand", "an agent runs a command")
            .about(About::Resource(&["agentRuntimeArn"])).data("AWS::BedrockAgentCore::Runtime"),
        spend("InvokeHarness", "an agent answers")
            .about(About::Resource(&["harnessArn"])).data("AWS::BedrockAgentCore::Harness"),
        spend("InvokeGateway", "a tool is called")
            .about(About::Resource(&["gatewayIdentifier", "gatewayArn"])).data("AWS::BedrockAgentCore::Gateway")
            .outside_sdk("called over HTTP, as the Model Context Protocol has it"),
        spend("InvokeCodeInterpreter", "code runs")
            .about(About::Resource(&["codeInterpreterIdentifier"])).data("AWS::BedrockAgentCore::CodeInterpreter"),
        spend("InvokeBrowser", "a browser acts")
            .about(About::Resource(&["browserIdentifier"])).data("AWS::BedrockAgentCore::Browser"),
        spend("InvokeWebSearch", "the web is searched")
            .about(About::Resource(&["webSearchId"])).data("AWS::BedrockAgentCore::WebSearch"),
        spend("StartBrowserSession", "a browser starts")
            .about(About::Resource(&["browserIdentifier"])).data("AWS::BedrockAgentCore::Browser"),
        spend("StartCodeInterpreterSession", "a machine to run code on starts")
            .about(About::Resource(&["codeInterpreterIdentifier"])).data("AWS::BedrockAgentCore::CodeInterpreter"),
        spend("Evaluate", "a model judges an agent"),
        spend("ProcessPayment", "an agent pays"),
    ],
);
