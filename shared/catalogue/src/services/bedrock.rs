//! Amazon Bedrock: control plane, runtime, agents, knowledge bases, flows. All of them are
//! `bedrock.amazonaws.com`; the OpenAI- and Anthropic-compatible door is in `bedrock_mantle`.
//!
//! Models are enabled by default, so nothing here need come before an invocation. No record holds tokens. Source:
//! Amazon Bedrock API reference; "Monitor Amazon Bedrock API calls using CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Measure, Rule, context, guard, policy, probe, service, spend};
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use PolicyEffect::{AccessEnabled, LimitRaised, PolicyOpened};

const MODEL: About = About::Model(&["modelId", "modelIdentifier", "baseModelIdentifier", "modelArn"]);
/// A batch has 100 prompts or more and up to 50,000, by the default quotas; a training costs as much.
const BATCH: Measure = Measure::Job(1_000);
/// An evaluation has up to 1,000 prompts.
const COMPARISON: Measure = Measure::Job(100);
/// Six seconds of video cost half a dollar, as some 30 calls of a large model do.
const VIDEO: Measure = Measure::Job(25);
const GUARDRAIL: About = About::Resource(&["guardrailIdentifier", "guardrailConfigurationId", "configId"]);

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Bedrock,
    &["bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"],
    [
        // What a thief reads first.
        probe("ListFoundationModels", "which models there are"),
        probe("GetFoundationModel", "what a model can do").about(MODEL),
        probe("GetFoundationModelAvailability", "whether a model answers here").about(MODEL),
        probe("ListFoundationModelAgreementOffers", "what a model costs").about(MODEL),
        probe("GetUseCaseForModelAccess", "whether the form for model access was sent"),
        probe("GetModelInvocationLoggingConfiguration", "whether anybody would see the prompts"),
        probe("ListInferenceProfiles", "which models answer over several regions"),
        probe("GetInferenceProfile", "where a model answers").about(About::Model(&["inferenceProfileIdentifier"])),
        probe("ListProvisionedModelThroughputs", "which capacity is paid for already"),
        probe("ListCustomModels", "which models are the account's own"),
        probe("ListImportedModels", "which models are the account's own"),
        probe("ListMarketplaceModelEndpoints", "which models run on endpoints"),
        probe("ListCustomModelDeployments", "which models are the account's own"),
        probe("ListModelInvocationJobs", "which batches run"),
        probe("ListGuardrails", "what would be in the way"),
        probe("ListEnforcedGuardrailsConfiguration", "what would be in the way"),
        probe("GetAccountDataRetention", "whether prompts are kept"),
        // Access to models.
        policy("PutUseCaseForModelAccess", AccessEnabled, "asks for access to models: the use case form"),
        policy("CreateFoundationModelAgreement", AccessEnabled, "accepts a model's price and terms").about(MODEL),
        policy("PutFoundationModelEntitlement", AccessEnabled, "switches access to a model on")
            .about(MODEL).outside_sdk("the console's own call, known from CloudTrail records"),
        policy("CreateMarketplaceModelEndpoint", AccessEnabled, "runs a model from the marketplace")
            .about(About::Model(&["modelSourceIdentifier"])),
        policy("RegisterMarketplaceModelEndpoint", AccessEnabled, "uses an endpoint through Bedrock")
            .about(About::Model(&["modelSourceIdentifier"])),
        policy("CreateModelImportJob", AccessEnabled, "brings a model in")
            .about(About::Model(&["importedModelName"])),
        policy("CreateCustomModel", AccessEnabled, "brings a model in").about(About::Model(&["modelName"])),
        policy("CreateCustomModelDeployment", AccessEnabled, "makes a custom model answer").about(MODEL),
        policy("StartTrustedAccessProgramAccountApplication", AccessEnabled, "asks for models of limited access"),
        policy("PutTrustedAccessProgramAccountEnrollment", AccessEnabled, "takes models of limited access"),
        policy("CreateInferenceProfile", AccessEnabled, "makes a profile that counts a model's use")
            .about(About::Model(&["modelSource.copyFrom", "inferenceProfileName"])).routine(),
        policy("CreatePromptRouter", AccessEnabled, "routes prompts to models").routine(),
        policy("CreateProject", AccessEnabled, "makes a project").routine(),
        policy("CreateAgent", AccessEnabled, "makes an agent").about(About::Model(&["foundationModel"])).routine(),
        policy("UpdateAgent", AccessEnabled, "changes an agent").about(About::Model(&["foundationModel"])).routine(),
        policy("CreateAgentAlias", AccessEnabled, "makes an agent callable").routine(),
        policy("CreateFlow", AccessEnabled, "makes a flow").routine(),
        policy("CreateFlowAlias", AccessEnabled, "makes a flow callable").routine(),
        policy("CreateKnowledgeBase", AccessEnabled, "makes a knowledge base").routine(),
        // Capacity.
        policy("CreateProvisionedModelThroughput", LimitRaised, "buys capacity by the hour").about(MODEL),
        policy("UpdateProvisionedModelThroughput", LimitRaised, "changes what bought capacity serves")
            .about(About::Model(&["desiredModelId", "provisionedModelId"])),
        // Others let in.
        policy("PutResourcePolicy", PolicyOpened, "lets other accounts use a resource")
            .about(About::Resource(&["resourceArn"])),
        policy("PutAccountDataRetention", AccessEnabled, "changes what is kept of prompts"),
        // Controls.
        guard("DeleteModelInvocationLoggingConfiguration", "nobody sees the prompts any more").grave(),
        guard("PutModelInvocationLoggingConfiguration", "changes who sees the prompts")
            .grave().when(Rule::Judged("context when the configuration delivers text", invocation_logging)),
        guard("DeleteAccountDataRetentionStorage", "what was kept of prompts is gone"),
        guard("DeleteGuardrail", "removes a guardrail").about(GUARDRAIL),
        guard("UpdateGuardrail", "changes a guardrail").about(GUARDRAIL).routine(),
        guard("DeleteEnforcedGuardrailConfiguration", "removes the guardrail that every call of the account meets")
            .about(GUARDRAIL),
        guard("PutEnforcedGuardrailConfiguration", "changes the guardrail that every call of the account meets")
            .about(About::Resource(&["guardrailInferenceConfig.guardrailIdentifier", "configId"])),
        guard("DeleteAutomatedReasoningPolicy", "removes a policy that checks answers")
            .about(About::Resource(&["policyArn"])),
        guard("UpdateAutomatedReasoningPolicy", "changes a policy that checks answers")
            .about(About::Resource(&["policyArn"])).routine(),
        guard("UpdateAutomatedReasoningPolicyAnnotations", "changes a policy that checks answers")
            .about(About::Resource(&["policyArn"])).routine(),
        guard("UpdateAutomatedReasoningPolicyTestCase", "changes the test of a policy that checks answers")
            .about(About::Resource(&["policyArn"])).routine(),
        // A responder at work, or ordinary housekeeping.
        context("CreateGuardrail", "a guardrail added"),
        context("CreateGuardrailVersion", "a guardrail's version frozen").about(GUARDRAIL),
        context("DeleteFoundationModelAgreement", "a model's terms given up").about(MODEL),
        context("DeleteProvisionedModelThroughput", "bought capacity given back"),
        context("DeleteMarketplaceModelEndpoint", "an endpoint removed"),
        context("DeregisterMarketplaceModelEndpoint", "an endpoint no longer used"),
        context("DeleteCustomModelDeployment", "a model that no longer answers"),
        context("DeleteImportedModel", "a model removed"),
        context("DeleteInferenceProfile", "a profile removed"),
        context("DeleteResourcePolicy", "other accounts shut out"),
        context("StopModelInvocationJob", "a batch stopped"),
        context("StopModelCustomizationJob", "a training stopped"),
        // Models answer. CloudTrail marks the calls `readOnly`, and most of them are management events.
        spend("InvokeModel", "a model answers").about(MODEL).reads(),
        spend("InvokeModelWithResponseStream", "a model answers").about(MODEL).reads(),
        spend("Converse", "a model answers").about(MODEL).reads(),
        spend("ConverseStream", "a model answers").about(MODEL).reads(),
        spend("InvokeModelWithBidirectionalStream", "a model talks").about(MODEL).data("AWS::Bedrock::Model"),
        spend("StartAsyncInvoke", "a model makes a video or the like")
            .about(MODEL).counts(VIDEO).data("AWS::Bedrock::AsyncInvoke"),
        spend("CreateModelInvocationJob", "a model answers a whole batch").about(MODEL).counts(BATCH),
        spend("CreateModelCustomizationJob", "a model is trained").about(MODEL).counts(BATCH),
        spend("CreateEvaluationJob", "models answer to be compared").counts(COMPARISON),
        spend("CreateAdvancedPromptOptimizationJob", "models answer to better a prompt").counts(COMPARISON),
        spend("InvokeAgent", "an agent answers")
            .about(About::Resource(&["agentAliasArn", "agentId"])).data("AWS::Bedrock::AgentAlias"),
        spend("InvokeInlineAgent", "an agent made on the spot answers")
            .about(About::Model(&["foundationModel"])).data("AWS::Bedrock::InlineAgent"),
        spend("InvokeFlow", "a flow runs")
            .about(About::Resource(&["flowIdentifier"])).data("AWS::Bedrock::FlowAlias"),
        spend("StartFlowExecution", "a flow runs")
            .about(About::Resource(&["flowIdentifier"])).data("AWS::Bedrock::FlowAlias"),
        spend("Retrieve", "a knowledge base is searched")
            .about(About::Resource(&["knowledgeBaseId"])).data("AWS::Bedrock::KnowledgeBase"),
        spend("RetrieveAndGenerate", "a knowledge base is searched, and a model answers")
            .about(KNOWLEDGE_MODEL).data("AWS::Bedrock::KnowledgeBase"),
        spend("RetrieveAndGenerateStream", "a knowledge base is searched, and a model answers")
            .about(KNOWLEDGE_MODEL).data("AWS::Bedrock::KnowledgeBase"),
        spend("AgenticRetrieveStream", "an agent searches a knowledge base").data("AWS::Bedrock::KnowledgeBase"),
        spend("GenerateQuery", "a model writes a query").data("AWS::Bedrock::KnowledgeBase"),
        spend("OptimizePrompt", "a model rewrites a prompt").about(About::Model(&["targetModelId"])),
        spend("Rerank", "a model ranks documents")
            .about(About::Model(&["rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn"]))
            .data("AWS::Bedrock::Model"),
        spend("ApplyGuardrail", "a guardrail judges a text").about(GUARDRAIL).data("AWS::Bedrock::Guardrail").reads(),
        spend("InvokeGuardrailChecks", "a guardrail judges a text").data("AWS::Bedrock::Guardrail").reads(),
    ],
);

const KNOWLEDGE_MODEL: About = About::Model(&[
    "retrieveAndGenerateConfiguration.knowledgeBaseConfiguration.modelArn",
    "retrieveAndGenerateConfiguration.externalSourcesConfiguration.modelArn",
]);

/// What a configuration does not name, it leaves at its default: delivered.
fn invocation_logging(parameters: &Parameters, row: Ruling) -> Ruling {
    // Prompts and answers are text: without it the rest tells nothing of what is asked.
    if parameters.is_empty("loggingConfig") || parameters.is_false("loggingConfig.textDataDeliveryEnabled") {
        return row.valued("off");
    }
    row.context().valued("on")
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Kind, Target};

    use super::*;
    use crate::testing::{call, of, record};
    use tripmeter_model::Record;

    #[test]
    fn a_model_is_the_same_in_every_region_and_profile() {
        for id in [
            "anthropic.claude-3-opus-20240229-v1:0",
            "us.anthropic.claude-3-opus-20240229-v1:0",
            "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.anthropic.claude-3-opus-20240229-v1:0",
        ] {
            let answer = call(Service::Bedrock, "Converse", &format!(r#"{{"modelId":"{id}"}}"#));
            assert_eq!(answer.kind, Kind::Use, "{id}");
            assert_eq!(
                answer.target,
                Some(Target::Model("anthropic.claude-3-opus-20240229-v1:0".into())),
                "{id}"
            );
        }
    }

    #[test]
    fn a_denied_call_shows_its_model_in_the_message_alone() {
        let denied = of(&Record {
            event_name: "InvokeModel".into(),
            error_code: Some("AccessDenied".into()),
            error_message: Some("User: arn:aws:iam::111122223333:user/dana is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2 because no identity-based policy allows it".into()),
            request_parameters: Some("null"),
            ..record(Service::Bedrock)
        });
        assert_eq!(denied.target, Some(Target::Model("anthropic.claude-v2".into())));
    }

    #[test]
    fn invocation_logging_that_loses_its_text_is_a_guardrail_removed() {
        let put = |parameters: &str| {
            let change = call(Service::Bedrock, "PutModelInvocationLoggingConfiguration", parameters);
            (change.kind, change.grave)
        };
        let on = r#"{"loggingConfig":{"s3Config":{"bucketName":"b"},"textDataDeliveryEnabled":true}}"#;
        assert_eq!(put(on), (Kind::Context, false));
        let by_default = r#"{"loggingConfig":{"cloudWatchConfig":{"logGroupName":"g"}}}"#;
        assert_eq!(put(by_default), (Kind::Context, false));
        for off in [
            r#"{"loggingConfig":{"textDataDeliveryEnabled":false,"imageDataDeliveryEnabled":false,"embeddingDataDeliveryEnabled":false}}"#,
            r#"{"loggingConfig":{"textDataDeliveryEnabled":"false","imageDataDeliveryEnabled":true}}"#,
            r#"{"loggingConfig":{}}"#,
            "{}",
            "null",
        ] {
            assert_eq!(put(off), (Kind::GuardrailRemoval, true), "{off}");
        }
    }
}
