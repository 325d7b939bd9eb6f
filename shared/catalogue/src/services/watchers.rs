//! What watches the account: CloudTrail, CloudWatch alarms, GuardDuty, and the organisation's own policies.
//!
//! Source: the API references of these services.

use tripmeter_model::Service;

use crate::call::{About, Call, Rule, context, guard, service};
use crate::parameters::{Parameters, member, text_of};
use crate::ruling::Ruling;
use serde_json::Value;

const TRAIL: About = About::Resource(&["trailName", "name"]);
const EVENT_STORE: About = About::Resource(&["eventDataStore"]);

#[rustfmt::skip] // one call a line
pub(crate) const CLOUD_TRAIL: &[Call] = &service(
    Service::CloudTrail,
    &["cloudtrail"],
    [
        guard("StopLogging", "nothing is recorded any more").about(TRAIL).grave(),
        guard("DeleteTrail", "nothing is recorded any more").about(TRAIL).grave(),
        guard("UpdateTrail", "changes what is recorded, and where to")
            .about(TRAIL).grave()
            .when(Rule::Judged(
                "routine, unless regions, global services, the organisation or file validation are left out",
                trail_coverage,
            )),
        guard("PutEventSelectors", "changes what is recorded")
            .about(TRAIL).grave()
            .when(Rule::Judged("routine when all management events are still recorded", selectors)),
        guard("PutInsightSelectors", "unusual rates are no longer noticed")
            .about(TRAIL).when(Rule::Empties("insightSelectors")),
        guard("PutEventConfiguration", "changes what is recorded of an event")
            .about(About::Resource(&["trailName", "eventDataStore"])),
        guard("DeleteEventDataStore", "records are deleted").about(EVENT_STORE),
        guard("StopEventDataStoreIngestion", "records are no longer kept").about(EVENT_STORE),
        guard("UpdateEventDataStore", "changes what is kept").about(EVENT_STORE).routine(),
        context("StartLogging", "recording begins").about(TRAIL),
        context("CreateTrail", "a trail added").about(TRAIL),
    ],
);

const ALARMS: &[&str] = &["alarmNames.*", "alarmName", "muteTargets.alarmNames.*"];
const ALARM: About = About::Resource(&["alarmName", "name"]);

#[rustfmt::skip] // one call a line
pub(crate) const CLOUD_WATCH: &[Call] = &service(
    Service::CloudWatch,
    &["cloudwatch"],
    [
        // Scaling and deployments remove alarms all day.
        guard("DeleteAlarms", "removes alarms").routine().or_ours(ALARMS),
        guard("DisableAlarmActions", "alarms no longer reach anybody").routine().or_ours(ALARMS),
        guard("SetAlarmState", "says that an alarm is none")
            .about(ALARM).routine().when(Rule::Holds("stateValue", &["OK", "INSUFFICIENT_DATA"])).or_ours(ALARMS),
        guard("PutAlarmMuteRule", "alarms no longer reach anybody for a while").about(ALARM).or_ours(ALARMS),
        guard("PutMetricAlarm", "changes an alarm of this detector").about(ALARM).grave().only_ours(ALARMS),
        guard("PutCompositeAlarm", "changes an alarm of this detector").about(ALARM).grave().only_ours(ALARMS),
        context("EnableAlarmActions", "alarms reach somebody again"),
    ],
);

const DETECTOR: About = About::Resource(&["detectorId"]);

#[rustfmt::skip] // one call a line
pub(crate) const GUARD_DUTY: &[Call] = &service(
    Service::GuardDuty,
    &["guardduty"],
    [
        guard("DeleteDetector", "GuardDuty no longer watches").about(DETECTOR),
        guard("UpdateDetector", "GuardDuty no longer watches").about(DETECTOR).when(Rule::Disables("enable")),
        guard("CreateFilter", "GuardDuty's findings are put away unseen")
            .about(DETECTOR).when(Rule::Holds("action", &["ARCHIVE"])),
        guard("UpdateFilter", "GuardDuty's findings are put away unseen")
            .about(DETECTOR).when(Rule::Holds("action", &["ARCHIVE"])),
        guard("DisassociateFromAdministratorAccount", "GuardDuty's findings no longer reach the organisation")
            .about(DETECTOR),
        guard("DisassociateMembers", "accounts are no longer watched from here").about(DETECTOR),
        guard("StopMonitoringMembers", "accounts are no longer watched from here").about(DETECTOR),
        guard("DeletePublishingDestination", "GuardDuty's findings are no longer kept").about(DETECTOR),
        context("CreateDetector", "GuardDuty begins to watch"),
    ],
);

const POLICY: About = About::Resource(&["policyId", "policyType"]);

#[rustfmt::skip] // one call a line
pub(crate) const ORGANIZATIONS: &[Call] = &service(
    Service::Organizations,
    &["organizations"],
    [
        guard("LeaveOrganization", "the organisation's policies hold no longer"),
        guard("RemoveAccountFromOrganization", "the organisation's policies hold no longer")
            .about(About::Resource(&["accountId"])),
        guard("DetachPolicy", "a policy holds no longer").about(POLICY),
        guard("DeletePolicy", "a policy is gone").about(POLICY),
        guard("UpdatePolicy", "a policy is changed").about(POLICY).routine(),
        guard("DisablePolicyType", "no policy of the kind holds any longer").about(POLICY),
        guard("DisableAWSServiceAccess", "a service no longer watches the organisation")
            .about(About::Resource(&["servicePrincipal"])),
        context("AttachPolicy", "a policy put in force").about(POLICY),
    ],
);

fn trail_coverage(parameters: &Parameters, row: Ruling) -> Ruling {
    let left_out = [
        "isMultiRegionTrail",
        "includeGlobalServiceEvents",
        "isOrganizationTrail",
        "enableLogFileValidation",
    ]
    .iter()
    .any(|path| parameters.is_false(path));
    if left_out { row.valued("less") } else { row.routine() }
}

/// Whether all management events of the account are still recorded: the data events may be others than before, but
/// nothing tells which ones those were.
fn selectors(parameters: &Parameters, row: Ruling) -> Ruling {
    let whole = parameters
        .all("eventSelectors.*")
        .into_iter()
        .any(records_all_management)
        || parameters
            .all("advancedEventSelectors.*")
            .into_iter()
            .any(selects_all_management);
    if whole {
        row.routine().valued("whole")
    } else {
        row.valued("part")
    }
}

fn records_all_management(selector: &Value) -> bool {
    let is = |name: &str, wanted: &str| {
        member(selector, name)
            .and_then(text_of)
            .is_none_or(|text| text.eq_ignore_ascii_case(wanted))
    };
    let excludes = member(selector, "excludeManagementEventSources")
        .and_then(Value::as_array)
        .is_some_and(|sources| !sources.is_empty());
    is("readWriteType", "All") && is("includeManagementEvents", "true") && !excludes
}

fn selects_all_management(selector: &Value) -> bool {
    let Some(Value::Array(fields)) = member(selector, "fieldSelectors") else {
        return false;
    };
    // Any field beyond the category narrows what is recorded.
    matches!(fields.as_slice(), [one]
        if member(one, "field").and_then(Value::as_str) == Some("eventCategory")
            && member(one, "equals")
                .and_then(Value::as_array)
                .is_some_and(|categories| categories.iter().any(|c| c == "Management")))
}

#[cfg(test)]
mod tests {
    use tripmeter_model::Kind;

    use super::*;
    use crate::testing::{call, kind};

    fn trail(name: &str, parameters: &str) -> (Kind, bool, bool) {
        let change = call(Service::CloudTrail, name, parameters);
        (change.kind, change.grave, change.routine)
    }

    const GRAVE: (Kind, bool, bool) = (Kind::GuardrailRemoval, true, false);
    const ROUTINE: (Kind, bool, bool) = (Kind::GuardrailRemoval, false, true);

    #[test]
    fn a_trail_that_loses_coverage_is_grave() {
        assert_eq!(trail("StopLogging", r#"{"name":"main"}"#), GRAVE);
        assert_eq!(
            trail("UpdateTrail", r#"{"name":"main","isMultiRegionTrail":false}"#),
            GRAVE
        );
        assert_eq!(trail("UpdateTrail", "null"), GRAVE);
        assert_eq!(
            trail("UpdateTrail", r#"{"name":"main","isMultiRegionTrail":true}"#),
            ROUTINE
        );
    }

    #[test]
    fn selectors_are_routine_only_when_all_management_events_stay() {
        for whole in [
            r#"{"trailName":"main","eventSelectors":[{"readWriteType":"All","includeManagementEvents":true,"dataResources":[]}]}"#,
            r#"{"trailName":"main","advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]}]}"#,
        ] {
            assert_eq!(trail("PutEventSelectors", whole), ROUTINE, "{whole}");
        }
        for part in [
            r#"{"trailName":"main","eventSelectors":[{"readWriteType":"WriteOnly","includeManagementEvents":true}]}"#,
            r#"{"trailName":"main","eventSelectors":[{"readWriteType":"All","includeManagementEvents":false}]}"#,
            r#"{"trailName":"main","eventSelectors":[{"readWriteType":"All","includeManagementEvents":true,"excludeManagementEventSources":["kms.amazonaws.com"]}]}"#,
            r#"{"trailName":"main","advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"eventSource","notEquals":["iam.amazonaws.com"]}]}]}"#,
            r#"{"trailName":"main"}"#,
        ] {
            assert_eq!(trail("PutEventSelectors", part), GRAVE, "{part}");
        }
    }

    #[test]
    fn alarms_that_deployments_remove_are_routine_and_ours_are_grave() {
        let removed = |name: &str| {
            call(
                Service::CloudWatch,
                "DeleteAlarms",
                &format!(r#"{{"alarmNames":["other","{name}"]}}"#),
            )
        };
        assert!(removed("TargetTracking-table").routine);
        assert!(removed("tripmeter-silence").grave);
        let threshold = r#"{"alarmName":"orders-errors","threshold":9}"#;
        assert_eq!(kind(Service::CloudWatch, "PutMetricAlarm", threshold), Kind::Context);
    }

    #[test]
    fn guardduty_is_blinded_by_switching_off_or_archiving() {
        assert_eq!(
            kind(
                Service::GuardDuty,
                "UpdateDetector",
                r#"{"detectorId":"d","enable":false}"#
            ),
            Kind::GuardrailRemoval
        );
        assert_eq!(
            kind(
                Service::GuardDuty,
                "UpdateDetector",
                r#"{"detectorId":"d","enable":true}"#
            ),
            Kind::Context
        );
        assert_eq!(
            kind(Service::GuardDuty, "CreateFilter", r#"{"action":"ARCHIVE"}"#),
            Kind::GuardrailRemoval
        );
        assert_eq!(
            kind(Service::GuardDuty, "CreateFilter", r#"{"action":"NOOP"}"#),
            Kind::Context
        );
    }
}
