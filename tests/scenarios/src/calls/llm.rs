//! Model calls, through every door that AWS has, and the control plane behind them.
//!
//! `InvokeModel` and `Converse` are management events with `readOnly: true`; `bedrock-mantle`, agents, AgentCore,
//! Claude Platform and SageMaker are data events.

use crate::dice::Dice;
use crate::record::{Call, FRESH_ID, HIDDEN};

const BEDROCK: &str = "bedrock.amazonaws.com";
const CONTROL: &str = "bedrock.{}.amazonaws.com";
const RUNTIME: &str = "bedrock-runtime.{}.amazonaws.com";

/// The door through which a model is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `InvokeModel`.
    Invoke,
    /// `InvokeModelWithResponseStream`.
    InvokeStream,
    /// `Converse`.
    Converse,
    /// `ConverseStream`.
    ConverseStream,
    /// `CreateInference` of `bedrock-mantle`.
    Mantle,
    /// `InvokeAgent`.
    Agent,
    /// `InvokeAgentRuntime` of AgentCore.
    AgentCore,
    /// `InvokeEndpoint` of SageMaker.
    SageMaker,
    /// `CreateInference` of Claude Platform on AWS.
    Claude,
}

impl Door {
    /// The doors that applications use most.
    pub const USUAL: [Self; 4] = [Self::Invoke, Self::InvokeStream, Self::Converse, Self::ConverseStream];
    /// Every door.
    pub const ALL: [Self; 9] = [
        Self::Invoke,
        Self::InvokeStream,
        Self::Converse,
        Self::ConverseStream,
        Self::Mantle,
        Self::Agent,
        Self::AgentCore,
        Self::SageMaker,
        Self::Claude,
    ];

    /// The service's name in findings.
    pub fn service(self) -> &'static str {
        match self {
            Self::Invoke | Self::InvokeStream | Self::Converse | Self::ConverseStream | Self::Agent => "Bedrock",
            Self::Mantle => "BedrockMantle",
            Self::AgentCore => "AgentCore",
            Self::SageMaker => "SageMaker",
            Self::Claude => "ClaudePlatform",
        }
    }

    /// AWS's managed policy that lets a user through this door.
    pub fn managed_policy(self) -> &'static str {
        match self {
            Self::Invoke | Self::InvokeStream | Self::Converse | Self::ConverseStream | Self::Agent => {
                "AmazonBedrockFullAccess"
            }
            Self::AgentCore => "BedrockAgentCoreFullAccess",
            Self::SageMaker => "AmazonSageMakerFullAccess",
            Self::Mantle | Self::Claude => "AdministratorAccess",
        }
    }

    /// Whether the control plane of Bedrock (access, logging) stands before this door.
    pub fn behind_bedrock(self) -> bool {
        self.service() == "Bedrock"
    }
}

/// One model call. `model` is a model id; where the door knows no models, the name of an agent or endpoint.
pub fn call(door: Door, account: &str, region: &str, model: &str) -> Call {
    match door {
        Door::Invoke => runtime("InvokeModel", region, model),
        Door::InvokeStream => runtime("InvokeModelWithResponseStream", region, model),
        Door::Converse => runtime("Converse", region, model),
        Door::ConverseStream => runtime("ConverseStream", region, model),
        Door::Mantle => mantle(account, region, model, false),
        Door::Agent => {
            let (agent, alias) = (agent_id(model), "TSTALIASID");
            Call::data(BEDROCK, "InvokeAgent", "bedrock-agent-runtime.{}.amazonaws.com", true)
                .with(format!(
                    r#"{{"agentId":"{agent}","agentAliasId":"{alias}","sessionId":"{FRESH_ID}","inputText":"{HIDDEN}"}}"#
                ))
                .on(
                    account,
                    "AWS::Bedrock::AgentAlias",
                    &format!("arn:aws:bedrock:{region}:{account}:agent-alias/{agent}/{alias}"),
                )
        }
        Door::AgentCore => {
            let arn = format!("arn:aws:bedrock-agentcore:{region}:{account}:runtime/{}", plain(model));
            Call::data(
                "bedrock-agentcore.amazonaws.com",
                "InvokeAgentRuntime",
                "bedrock-agentcore.{}.amazonaws.com",
                false,
            )
            .with(format!(
                r#"{{"agentRuntimeArn":"{arn}","runtimeSessionId":"{FRESH_ID}"}}"#
            ))
            .on(account, "AWS::BedrockAgentCore::Runtime", &arn)
        }
        Door::SageMaker => {
            let endpoint = plain(model);
            let arn = format!("arn:aws:sagemaker:{region}:{account}:endpoint/{endpoint}");
            Call::data(
                "sagemaker.amazonaws.com",
                "InvokeEndpoint",
                "runtime.sagemaker.{}.amazonaws.com",
                true,
            )
            .with(format!(r#"{{"endpointName":"{endpoint}"}}"#))
            .on(account, "AWS::SageMaker::Endpoint", &arn)
        }
        Door::Claude => Call::data(
            "aws-external-anthropic.amazonaws.com",
            "CreateInference",
            "aws-external-anthropic.{}.api.aws",
            false,
        )
        .with(format!(r#"{{"model":"{model}","stream":true}}"#))
        .on(
            account,
            "AWS::AWSExternalAnthropic::Workspace",
            &format!("arn:aws:aws-external-anthropic:{region}:{account}:workspace/default"),
        ),
    }
}

/// A call to `bedrock-mantle`, signed or with a long-term API key as bearer token.
pub fn mantle(account: &str, region: &str, model: &str, bearer: bool) -> Call {
    let bearer = if bearer {
        r#""callWithBearerToken":true,"bearerTokenType":"ABSK""#
    } else {
        r#""callWithBearerToken":false"#
    };
    Call::data(
        "bedrock-mantle.amazonaws.com",
        "CreateInference",
        "bedrock-mantle.{}.api.aws",
        false,
    )
    .with(format!(
        r#"{{"model":"{model}","stream":true,"service_tier":"default",{bearer}}}"#
    ))
    .on(
        account,
        "AWS::BedrockMantle::Project",
        &format!("arn:aws:bedrock-mantle:{region}:{account}:project/default"),
    )
}

/// `ListModels` of `bedrock-mantle`.
pub fn mantle_models(bearer: bool) -> Call {
    Call::management(
        "bedrock-mantle.amazonaws.com",
        "ListModels",
        "bedrock-mantle.{}.api.aws",
        true,
    )
    .with(format!(r#"{{"callWithBearerToken":{bearer}}}"#))
}

/// The same call, made with a Bedrock API key.
pub fn with_bearer(call: Call) -> Call {
    call.noting(r#"{"callWithBearerToken":true}"#)
}

/// A call that the model refuses to answer: what somebody sends to see whether a model is open.
pub fn invalid(call: Call) -> Call {
    call.failed("ValidationException", "max_tokens_to_sample: range: 1..1,000,000")
}

/// A read of the control plane: `ListFoundationModels`, `GetUseCaseForModelAccess` and their kin.
pub fn read(name: &'static str) -> Call {
    Call::management(BEDROCK, name, CONTROL, true)
}

/// A read about one model.
pub fn read_of(name: &'static str, model: &str) -> Call {
    read(name).with(format!(r#"{{"modelId":"{model}"}}"#))
}

/// Fills in the form that opens Anthropic's models.
pub fn put_use_case() -> Call {
    Call::management(BEDROCK, "PutUseCaseForModelAccess", CONTROL, false)
}

/// Accepts a model's agreement.
pub fn create_agreement(model: &str) -> Call {
    Call::management(BEDROCK, "CreateFoundationModelAgreement", CONTROL, false)
        .with(format!(r#"{{"modelId":"{model}","offerToken":"{HIDDEN}"}}"#))
        .answered(format!(r#"{{"modelId":"{model}"}}"#))
}

/// Switches a model on, as the console does.
pub fn put_entitlement(model: &str) -> Call {
    Call::management(BEDROCK, "PutFoundationModelEntitlement", CONTROL, false)
        .with(format!(r#"{{"modelId":"{model}"}}"#))
        .answered(r#"{"status":"SUCCESS"}"#)
}

/// Switches the logging of model calls off.
pub fn delete_logging() -> Call {
    Call::management(BEDROCK, "DeleteModelInvocationLoggingConfiguration", CONTROL, false)
}

fn runtime(name: &'static str, region: &str, model: &str) -> Call {
    Call::management(BEDROCK, name, RUNTIME, true)
        .with(format!(r#"{{"modelId":"{model}"}}"#))
        .about(format!("arn:aws:bedrock:{region}::foundation-model/{model}"))
}

/// Where calls to an inference profile of this geography run: anywhere in it.
pub fn geography(profile: &str) -> Option<&'static [&'static str]> {
    match profile.split_once('.')?.0 {
        "us" => Some(&["us-east-1", "us-east-2", "us-west-2"]),
        "eu" => Some(&["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"]),
        "apac" => Some(&[
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-south-1",
            "ap-southeast-1",
            "ap-southeast-2",
        ]),
        _ => None,
    }
}

/// The model's inference profile for a region; the model itself where there is none.
pub fn profile(region: &str, model: &str) -> String {
    match region.split('-').next() {
        Some("us") => format!("us.{model}"),
        Some("eu") => format!("eu.{model}"),
        Some("ap") => format!("apac.{model}"),
        _ => model.to_owned(),
    }
}

/// A name that an endpoint or a runtime may have.
fn plain(model: &str) -> String {
    model
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

/// Ten letters and digits that stand for a name, as agents have them.
fn agent_id(model: &str) -> String {
    Dice::new(0, model).id("", 10)
}
