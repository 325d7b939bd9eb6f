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
                "routine, unless regions, global services, the organisation or file validation are left out; context when \
                 nothing but these is switched on",
                trail_coverage,
            )),
        guard("PutEventSelectors", "changes what is recorded")
            .about(TRAIL).grave()
            .when(Rule::Judged(
                "routine when all management events are still recorded; context when watched data events are, too",
                selectors,
            )),
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
        guard("LeaveOrganization", "the organisation's policies hold no longer").grave(),
        guard("RemoveAccountFromOrganization", "the organisation's policies hold no longer")
            .about(About::Resource(&["accountId"])).grave(),
        guard("DetachPolicy", "a policy holds no longer")
            .about(POLICY).grave().when(Rule::Judged("context for FullAWSAccess, which allows everything", detached)),
        guard("DeletePolicy", "a policy is gone").about(POLICY),
        guard("UpdatePolicy", "a policy is changed").about(POLICY).routine(),
        guard("DisablePolicyType", "no policy of the kind holds any longer")
            .about(POLICY)
            .when(Rule::Judged("grave when policyType is SERVICE_CONTROL_POLICY or RESOURCE_CONTROL_POLICY", disabled)),
        guard("DisableAWSServiceAccess", "a service no longer watches the organisation")
            .about(About::Resource(&["servicePrincipal"])),
        context("AttachPolicy", "a policy put in force").about(POLICY),
    ],
);

/// What a trail covers, each on or off.
const COVERAGE: [&str; 4] = [
    "isMultiRegionTrail",
    "includeGlobalServiceEvents",
    "isOrganizationTrail",
    "enableLogFileValidation",
];

fn trail_coverage(parameters: &Parameters, row: Ruling) -> Ruling {
    let on = |name: &&str| COVERAGE.contains(name) && parameters.is_true(name);
    let mut changed = parameters.names();
    changed.retain(|name| *name != "name");
    if COVERAGE.iter().any(|path| parameters.is_false(path)) {
        row.valued("less")
    } else if !changed.is_empty() && changed.iter().all(on) {
        row.valued("more").context()
    } else {
        row.routine()
    }
}

/// The kind of a policy is in no record. Service control policies are what is detached to be free of them.
fn detached(parameters: &Parameters, row: Ruling) -> Ruling {
    match parameters.text("policyId").as_deref() {
        Some("p-FullAWSAccess") => row.context(),
        _ => row,
    }
}

fn disabled(parameters: &Parameters, row: Ruling) -> Ruling {
    let kind = parameters.text("policyType").unwrap_or_default();
    let holds_down = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"].contains(&&*kind);
    let row = row.valued(kind);
    if holds_down { row.grave() } else { row }
}

/// Whether all management events of the account are still recorded. Nothing tells which data events were recorded
/// before: where some of a watched service are, they were hardly cut.
fn selectors(parameters: &Parameters, row: Ruling) -> Ruling {
    let whole = parameters
        .all("eventSelectors.*")
        .into_iter()
        .any(records_all_management)
        || parameters
            .all("advancedEventSelectors.*")
            .into_iter()
            .any(selects_all_management);
    let with_data = || {
        parameters
            .all("advancedEventSelectors.*")
            .into_iter()
            .any(selects_watched_data)
    };
    if whole && with_data() {
        row.valued("wider").context()
    } else if whole {
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

/// Whether all data events of a resource type that a watched service has are selected.
fn selects_watched_data(selector: &Value) -> bool {
    let Some(Value::Array(fields)) = member(selector, "fieldSelectors") else {
        return false;
    };
    let watched = crate::patterns::data_events();
    let holds = |name: &str, is_meant: &dyn Fn(&str) -> bool| {
        fields.iter().any(|field| {
            let values = member(field, "equals").and_then(Value::as_array);
            member(field, "field").and_then(Value::as_str) == Some(name)
                && values.is_some_and(|values| values.iter().filter_map(Value::as_str).any(is_meant))
        })
    };
    fields.len() == 2
        && holds("eventCategory", &|category| category == "Data")
        && holds("resources.type", &|resource_type| watched.contains_key(resource_type))
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
    const CONTEXT: (Kind, bool, bool) = (Kind::Context, false, false);

    #[test]
    fn a_trail_that_loses_coverage_is_grave() {
        assert_eq!(trail("StopLogging", r#"{"name":"main"}"#), GRAVE);
        assert_eq!(
            trail("UpdateTrail", r#"{"name":"main","isMultiRegionTrail":false}"#),
            GRAVE
        );
        assert_eq!(trail("UpdateTrail", "null"), GRAVE);
        assert_eq!(
            trail("UpdateTrail", r#"{"name":"main","s3BucketName":"logs"}"#),
            ROUTINE
        );
    }

    #[test]
    fn a_trail_that_gains_coverage_is_no_control_weakened() {
        let update = |parameters: &str| trail("UpdateTrail", parameters);
        assert_eq!(
            update(r#"{"name":"main","isMultiRegionTrail":true,"enableLogFileValidation":"true"}"#),
            CONTEXT
        );
        // What is switched on does not outweigh what is switched off, or moved, beside it.
        assert_eq!(
            update(r#"{"name":"main","isMultiRegionTrail":true,"enableLogFileValidation":false}"#),
            GRAVE
        );
        assert_eq!(
            update(r#"{"name":"main","isMultiRegionTrail":true,"s3BucketName":"elsewhere"}"#),
            ROUTINE
        );
        assert_eq!(update(r#"{"name":"main"}"#), ROUTINE);
    }

    #[test]
    fn selectors_with_watched_data_events_beside_all_management_events_are_no_control_weakened() {
        let put = |fields: &str| {
            let management = r#"{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]}"#;
            let parameters = format!(
                r#"{{"trailName":"main","advancedEventSelectors":[{management},{{"fieldSelectors":[{fields}]}}]}}"#
            );
            trail("PutEventSelectors", &parameters)
        };
        let data = |of: &str| {
            format!(r#"{{"field":"eventCategory","equals":["Data"]}},{{"field":"resources.type","equals":["{of}"]}}"#)
        };
        assert_eq!(put(&data("AWS::SES::EmailIdentity")), CONTEXT);
        // Of a service that nobody watches, or a part only: what was recorded before may be gone.
        assert_eq!(put(&data("AWS::S3::Object")), ROUTINE);
        let writes = format!(
            r#"{},{{"field":"readOnly","equals":["false"]}}"#,
            data("AWS::SES::EmailIdentity")
        );
        assert_eq!(put(&writes), ROUTINE);
    }

    #[test]
    fn leaving_the_organisations_policies_is_grave() {
        let organisation = |name: &str, parameters: &str| {
            let change = call(Service::Organizations, name, parameters);
            (change.kind, change.grave, change.routine)
        };
        assert_eq!(organisation("LeaveOrganization", "null"), GRAVE);
        assert_eq!(
            organisation("DetachPolicy", r#"{"policyId":"p-1","targetId":"111122223333"}"#),
            GRAVE
        );
        let full = r#"{"policyId":"p-FullAWSAccess","targetId":"111122223333"}"#;
        assert_eq!(organisation("DetachPolicy", full), CONTEXT);
        assert_eq!(
            organisation("DisablePolicyType", r#"{"policyType":"SERVICE_CONTROL_POLICY"}"#),
            GRAVE
        );
        let tags = organisation("DisablePolicyType", r#"{"policyType":"TAG_POLICY"}"#);
        assert_eq!(tags, (Kind::GuardrailRemoval, false, false));
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
