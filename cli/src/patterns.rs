//! `tripmeter patterns`: what EventBridge and the trail are asked for, generated from the catalogue.

use std::fmt::Write;

use serde_json::{Value, json};
use tripmeter_catalogue::patterns::{self, EventRule, MAX_PATTERN, Route, State, Wanted, data_events, length};
use tripmeter_catalogue::signals;

use crate::args::PatternFormat;
use crate::table::Table;

/// Every rule: for people, as JSON, or as the sections of the templates.
pub(crate) fn list(format: PatternFormat) -> String {
    match format {
        PatternFormat::Table => table(),
        PatternFormat::Json => format!("{:#}\n", rules().iter().map(as_json).collect::<Value>()),
        PatternFormat::Template => rules().iter().map(|rule| resource(rule, &HUB)).collect(),
        PatternFormat::Forwarder => rules().iter().map(|rule| resource(rule, &FORWARDER)).collect(),
        PatternFormat::Trail => trail_section(),
        PatternFormat::Selectors => format!("{:#}\n", selectors()),
    }
}

/// Those for calls, then those for meters.
fn rules() -> Vec<EventRule> {
    let mut rules = patterns::rules();
    rules.extend(signals::rules::rules());
    rules
}

fn table() -> String {
    let mut table = Table::new(["RULE", "STATE", "GOES TO", "CHARACTERS"]);
    for rule in rules() {
        table.row([
            rule.name.as_str(),
            state(rule.state),
            match rule.route {
                Route::ControlPlane => "control-plane",
                Route::Usage => "usage",
                Route::Spend => "spend",
            },
            &format!("{} of {MAX_PATTERN}", length(&rule.pattern)),
        ]);
    }
    table.to_string()
}

fn as_json(rule: &EventRule) -> Value {
    json!({
        "name": rule.name,
        "service": rule.service.name(),
        "route": rule.route,
        "state": rule.state,
        "condition": condition(rule, &HUB),
        "characters": length(&rule.pattern),
        "pattern": rule.pattern,
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Enabled => "ENABLED",
        State::EnabledWithAllCloudtrailManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    }
}

/// The condition of a template under which it has the rule.
fn condition(rule: &EventRule, stack: &Stack) -> Option<&'static str> {
    let [everywhere, commercial] = stack.use_conditions;
    match rule.wanted {
        Wanted::InCommercialRegions if (stack.is_conditional)(rule) => Some(commercial),
        _ if (stack.is_conditional)(rule) => Some(everywhere),
        Wanted::Always => None,
        Wanted::InCommercialRegions => Some("Commercial"),
        Wanted::WhenRolesAreRouted => Some("RoutesRoles"),
    }
}

/// What the rules of one template have in common.
struct Stack {
    control_plane: &'static str,
    usage: &'static str,
    spend: &'static str,
    /// Which rules a person decides on.
    is_conditional: fn(&EventRule) -> bool,
    /// The conditions under which there are these rules, everywhere and in commercial regions.
    use_conditions: [&'static str; 2],
}

const HUB: Stack = Stack {
    control_plane: "Id: ControlPlane, Arn: !GetAtt ControlPlaneFunction.Arn",
    usage: "Id: Usage, Arn: !GetAtt UsageQueue.Arn",
    spend: "Id: Spend, Arn: !GetAtt SpendQueue.Arn",
    // What meters say of use is heard whatever its records come by.
    is_conditional: |rule| rule.route == Route::Usage,
    use_conditions: ["UseByEvents", "CommercialUseByEvents"],
};

const TO_HUB: &str = "Id: Hub, Arn: !Ref HubBusArn, RoleArn: !GetAtt ForwardRole.Arn";

const FORWARDER: Stack = Stack {
    control_plane: TO_HUB,
    usage: TO_HUB,
    spend: TO_HUB,
    is_conditional: |rule| rule.is_use,
    use_conditions: ["ForwardsUse", "ForwardsCommercialUse"],
};

/// A rule as a resource of a template. An event is tried for a day, and then kept beside the others that could not be
/// delivered.
fn resource(rule: &EventRule, stack: &Stack) -> String {
    let condition = condition(rule, stack);
    let condition = condition.map_or_else(String::new, |name| format!("    Condition: {name}\n"));
    let target = match rule.route {
        Route::ControlPlane => stack.control_plane,
        Route::Usage => stack.usage,
        Route::Spend => stack.spend,
    };
    let target = target.replace(", ", "\n          ");
    let name = &rule.name;
    let state = state(rule.state);
    let pattern = pattern(&rule.pattern);
    format!(
        "  {name}:
    Type: AWS::Events::Rule
{condition}    Properties:
      State: {state}
      EventPattern:
{pattern}      Targets:
        - {target}
          RetryPolicy: {{MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86400}}
          DeadLetterConfig: {{Arn: !GetAtt UndeliveredQueue.Arn}}
      Tags: [{{Key: Application, Value: tripmeter}}]
"
    )
}

/// A pattern in YAML, its lists in flow style and wrapped.
fn pattern(pattern: &Value) -> String {
    members(pattern, 8)
}

/// In the order in which people read a pattern: from where, what, and then the long lists.
fn members(object: &Value, indent: usize) -> String {
    const FIRST: [&str; 3] = ["source", "detail-type", "eventSource"];
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut members: Vec<(&String, &Value)> = object.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| (place(name), *name != "state"));
    members
        .iter()
        .map(|(name, value)| member(name, value, indent))
        .collect()
}

fn member(name: &str, value: &Value, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let Some(entries) = value.as_array() else {
        return format!("{margin}{name}:\n{}", members(value, indent + 2));
    };
    let entries: Vec<String> = entries.iter().map(flow).collect();
    let line = format!("{margin}{name}: [{}]\n", entries.join(", "));
    if name != "eventName" && line.len() <= MAX_LINE {
        return line;
    }
    format!("{margin}{name}:\n{}", wrapped(&entries, indent + 2))
}

/// One entry of a pattern's list: a word, a truth, or a prefix.
fn flow(entry: &Value) -> String {
    match (entry.get("prefix").and_then(Value::as_str), entry.as_str()) {
        (Some(prefix), _) => format!("{{prefix: {prefix}}}"),
        (None, Some(word)) => word.to_owned(),
        (None, None) => entry.to_string(),
    }
}

/// The longest line, in characters.
const MAX_LINE: usize = 118;

/// A list in YAML's flow style, over several lines.
fn wrapped(entries: &[String], indent: usize) -> String {
    let indent = " ".repeat(indent);
    let mut lines = Vec::new();
    let mut line = format!("{indent}[");
    for (entry, left) in entries.iter().zip((0..entries.len()).rev()) {
        let end = if left == 0 { "]" } else { "," };
        let space = if line.ends_with('[') || line.trim().is_empty() {
            ""
        } else {
            " "
        };
        if line.len() + space.len() + entry.len() + end.len() > MAX_LINE {
            lines.push(std::mem::replace(&mut line, format!("{indent} {entry}{end}")));
        } else {
            let _ = write!(line, "{space}{entry}{end}");
        }
    }
    lines.push(line);
    lines.join("\n") + "\n"
}

/// The advanced event selectors of a trail that records exactly the data events of the catalogue, each under the
/// condition that somebody wants it.
fn trail_section() -> String {
    data_events()
        .iter()
        .map(|(resource_type, names)| selector_section(resource_type, names))
        .collect()
}

fn selector_section(resource_type: &str, names: &[&str]) -> String {
    let condition = recording_condition(resource_type);
    let name = selector_name(resource_type);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let names = wrapped(&names, 18);
    format!(
        "        - !If
          - {condition}
          - Name: {name}
            FieldSelectors:
              - {{Field: eventCategory, Equals: [Data]}}
              - {{Field: resources.type, Equals: [\"{resource_type}\"]}}
              - Field: eventName
                Equals:
{names}          - !Ref AWS::NoValue
"
    )
}

/// The same selectors, and all management events, as `aws cloudtrail put-event-selectors` takes them.
fn selectors() -> Value {
    let management = json!({
        "Name": "Management events",
        "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }],
    });
    let data = data_events().into_iter().map(|(resource_type, names)| {
        json!({
            "Name": selector_name(resource_type),
            "FieldSelectors": [
                { "Field": "eventCategory", "Equals": ["Data"] },
                { "Field": "resources.type", "Equals": [resource_type] },
                { "Field": "eventName", "Equals": names },
            ],
        })
    });
    std::iter::once(management).chain(data).collect()
}

/// What people read in the trail's settings: `SES EmailIdentity`.
fn selector_name(resource_type: &str) -> String {
    resource_type.trim_start_matches("AWS::").replace("::", " ")
}

/// The condition of infra/trail.yaml under which a resource type is recorded.
fn recording_condition(resource_type: &str) -> &'static str {
    match resource_type.split("::").nth(1).unwrap_or_default() {
        "SES" => "RecordsMail",
        "SNS" => "RecordsTopics",
        "SMSVoice" => "RecordsTexts",
        "BedrockAgentCore" => "RecordsAgents",
        "BedrockMantle" | "AWSExternalAnthropic" => "RecordsCommercialModels",
        _ => "RecordsModels",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_wrapped_before_it_is_too_wide() {
        let names: Vec<String> = (0..40).map(|n| format!("UpdateSomething{n}")).collect();

        let yaml = wrapped(&names, 4);

        assert!(yaml.lines().count() > 5 && yaml.lines().all(|line| line.len() <= 118 && line == line.trim_end()));
        let joined: String = yaml.lines().map(|line| line.trim().to_owned() + " ").collect();
        assert_eq!(joined.trim(), format!("[{}]", names.join(", ")));
    }

    #[test]
    fn each_resource_type_has_one_selector() {
        let yaml = trail_section();

        for selector in selectors().as_array().unwrap().iter().skip(1) {
            let resource_type = selector["FieldSelectors"][1]["Equals"][0].as_str().unwrap();
            assert_eq!(
                yaml.matches(&format!("\"{resource_type}\"")).count(),
                1,
                "{resource_type}"
            );
        }
        assert!(yaml.contains("[SendEmail, SendRawEmail,"), "{yaml}");
    }
}
