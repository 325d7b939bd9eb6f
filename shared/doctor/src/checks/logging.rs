//! Whether Bedrock logs what models are called with.

use tripmeter_model::{Service, Severity};

use super::Case;
use crate::gap::{Gap, GapId, Repair, command};

const TO_A_LOG_GROUP: &str =
    r#"{"cloudWatchConfig":{"logGroupName":"LOG_GROUP","roleArn":"ROLE_ARN"},"textDataDeliveryEnabled":true}"#;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let used_in = |name: &str| {
        let mut bedrock = case.used().filter(|used| used.service == Service::Bedrock);
        bedrock.any(|used| used.regions.contains(name))
    };
    let off = case.inventory.regions.iter().filter_map(|(name, region)| {
        let is_off = region.invocation_logging == Some(false);
        is_off.then_some(name.as_str())
    });
    let (used, unused): (Vec<&str>, Vec<&str>) = off.partition(|name| used_in(name));
    let gap = |regions: Vec<&str>, severity, words: &str| {
        let first = *regions.first()?;
        Some(
            Gap::new(GapId::InvocationLoggingOff, words)
                .severity(severity)
                .services([Service::Bedrock])
                .repair(Repair::run(
                    command(
                        "aws bedrock put-model-invocation-logging-configuration --logging-config {} --region {}",
                        &[TO_A_LOG_GROUP, first],
                    ),
                    command(
                        "aws bedrock delete-model-invocation-logging-configuration --region {}",
                        &[first],
                    ),
                ))
                .repair(Repair::step(
                    "in each region. The logs hold prompts, so decide first who may read them; and name the group in the \
                     hub's parameter BedrockLogGroup",
                ))
                .regions(regions),
        )
    };
    let used = gap(
        used,
        Severity::Medium,
        "Model invocation logging is off where models are called.",
    );
    let unused = gap(
        unused,
        Severity::Low,
        "Model invocation logging is off; no model call was seen there.",
    );
    used.into_iter().chain(unused).collect()
}
