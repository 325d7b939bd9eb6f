//! What a gap is: something is missing, so something cannot be seen.

use std::fmt;

use serde::{Serialize, Serializer};
use tripmeter_findings::Command;
use tripmeter_model::{Service, Severity};

macro_rules! gaps {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $severity:ident, $unseen:literal, $source:literal;)*) => {
        /// What may be missing. docs/doctor.md has a row for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum GapId { $($(#[$doc])* $variant),* }

        impl GapId {
            /// Every gap that is looked for, telemetry first, then what would hold an attacker back.
            pub const ALL: &'static [GapId] = &[$(GapId::$variant),*];

            /// Its name, which never changes.
            pub fn name(self) -> &'static str {
                match self { $(GapId::$variant => $id),* }
            }

            /// How severe it is, where nothing makes it milder or graver.
            pub fn severity(self) -> Severity {
                match self { $(GapId::$variant => Severity::$severity),* }
            }

            /// What cannot be seen, or is not held back, because of it.
            pub fn unseen(self) -> &'static str {
                match self { $(GapId::$variant => $unseen),* }
            }

            /// Where AWS says so.
            pub fn source(self) -> &'static str {
                match self { $(GapId::$variant => $source),* }
            }
        }
    };
}

gaps! {
    /// No trail records a region.
    TrailMissing = "trail-missing", Critical,
        "everything that anybody does there: EventBridge is given no record without a trail that logs",
        "Amazon EventBridge User Guide, \"AWS service events delivered via AWS CloudTrail\"";
    /// A trail is there, and was stopped.
    TrailStopped = "trail-stopped", Critical,
        "everything that this trail alone would record",
        "AWS CloudTrail API Reference, GetTrailStatus";
    /// A trail's selectors leave management events out.
    ManagementEventsDropped = "management-events-dropped", High,
        "these calls, in no rule and in no file",
        "AWS CloudTrail User Guide, \"Logging management events\"";
    /// Selectors record what writes alone, where reads matter.
    ReadsDropped = "reads-dropped", High,
        "mails (CloudTrail marks SES sends as reads), model calls, and the look at the limits before a theft",
        "Amazon SES Developer Guide, \"Logging Amazon SES API calls with AWS CloudTrail\"";
    /// No trail records a service's data events.
    DataEventsMissing = "data-events-missing", Medium,
        "who spends on it: only totals, an hour late, from metrics and bills",
        "AWS CloudTrail User Guide, \"Logging data events\"";
    /// Bedrock does not log what models are called with.
    InvocationLoggingOff = "invocation-logging-off", Medium,
        "tokens by identity: records of calls hold none, so a few long calls look like a few short ones",
        "Amazon Bedrock User Guide, \"Monitor model invocation using CloudWatch Logs and Amazon S3\"";
    /// No rule listens at all.
    DetectorMissing = "detector-missing", High,
        "everything, until the bill: nothing judges what is recorded",
        "docs/deploy.md";
    /// A rule is in the wrong state.
    RuleState = "rule-state", High,
        "read-only calls: the look at the limits, and the model calls that Bedrock marks as reads",
        "Amazon EventBridge User Guide, \"Receiving read-only management events from AWS services\"";
    /// A rule was disabled.
    RuleDisabled = "rule-disabled", High,
        "the calls that it listens to",
        "Amazon EventBridge API Reference, DisableRule";
    /// A rule of this version is not there.
    RuleMissing = "rule-missing", Medium,
        "the calls that no rule asks for",
        "docs/deploy.md";
    /// A region is on and forwards nothing.
    RegionUnheard = "region-unheard", Medium,
        "what is done in these regions: rules are regional, and thieves like regions that nobody uses",
        "Amazon EventBridge User Guide, \"Sending and receiving events between AWS Regions\"";
    /// Opt-in regions are on and nothing is used in them.
    OptInRegionUnused = "opt-in-region-unused", Low,
        "nothing holds a thief out of regions that somebody switched on and nobody uses",
        "AWS Account Management Reference Guide, \"Enable or disable AWS Regions in your account\"";
    /// The canary is not heard.
    CanaryMissed = "canary-missed", High,
        "anything in that region, perhaps: the detector does not hear its own calls there",
        "docs/blindness.md";
    /// A region that is forwarded has no canary.
    CanaryAbsent = "canary-absent", Low,
        "when this region goes silent: nobody calls there to be heard",
        "docs/blindness.md";
    /// A service in use has no budget.
    BudgetMissing = "budget-missing", Medium,
        "spending that no record explains: mail over SMTP, texts straight to a number, tokens",
        "AWS Cost Management User Guide, \"Managing your costs with AWS Budgets\"";
    /// A budget tells nobody.
    BudgetUnheard = "budget-unheard", Medium,
        "that the budget is spent: it has no subscriber",
        "AWS Cost Management User Guide, \"Creating an Amazon SNS topic for budget notifications\"";
    /// What budgets and cost monitors say does not reach the detector.
    MetersUnheard = "meters-unheard", Low,
        "that a budget is spent or a cost is unusual: the detector raises no finding by it",
        "docs/meters.md";
    /// No monitor of cost anomalies, or none that tells somebody.
    CostMonitorMissing = "cost-monitor-missing", Low,
        "costs that leave their usual course in a region or account without any rule",
        "AWS Cost Management User Guide, \"Detecting unusual spend with AWS Cost Anomaly Detection\"";
    /// A topic does not let in who is to publish to it.
    TopicKeepsOut = "topic-keeps-out", High,
        "what budgets and cost monitors say: their messages are refused without a word",
        "AWS Cost Management User Guide, \"Creating an Amazon SNS topic for budget notifications\"";
    /// The limit of spending on messages is as high as it can be.
    SmsLimitAtMaximum = "sms-limit-at-maximum", Medium,
        "nothing holds texts back before all that AWS allows is spent",
        "AWS End User Messaging SMS User Guide, \"Setting spend limits\"";
    /// Mail may be sent where none is.
    MailUnrestricted = "mail-unrestricted", Medium,
        "nothing holds mail back in a region that sends none: production access is what thieves look for",
        "Amazon SES API v2 Reference, GetAccount";
    /// A quota is far above what was ever used.
    QuotaAbovePeak = "quota-above-peak", Low,
        "nothing holds use back before it is many times what was ever seen",
        "Amazon SES Developer Guide, \"Managing your Amazon SES sending limits\"";
    /// Nobody is named for a service in use.
    OwnerMissing = "owner-missing", Low,
        "whom to ask: findings on it name nobody",
        "docs/tuning.md";
    /// Users with long-term keys may spend.
    KeySpends = "key-spends", Medium,
        "nothing ends a stolen key by itself, and these may spend or lift the limits",
        "IAM User Guide, \"Security best practices in IAM\"";
    /// Identities may both spend and lift the limits.
    SpendsAndChanges = "spends-and-changes", Low,
        "nothing divides who spends from who decides how much: one stolen session does both",
        "IAM User Guide, \"Apply least-privilege permissions\"";
    /// A key is older than it should be.
    KeyOld = "key-old", Low,
        "nothing has ended what leaked with this key in all that time",
        "IAM User Guide, \"Update access keys\"";
    /// A service's key never ends.
    KeyNeverExpires = "key-never-expires", Medium,
        "nothing ends this API key by itself, and it is a bearer token",
        "Amazon Bedrock User Guide, \"Generate an Amazon Bedrock API key\"";
    /// Regions are not restricted.
    RegionNotRestricted = "region-not-restricted", Medium,
        "nothing holds a thief out of regions that nobody uses",
        "AWS Organizations User Guide, \"Deny access to AWS based on the requested AWS Region\"";
    /// The detector can be switched off.
    DetectorNotProtected = "detector-not-protected", Medium,
        "nothing holds an administrator's session from stopping the trail or the detector first",
        "AWS Organizations User Guide, \"Service control policies (SCPs)\"";
    /// The management account spends.
    ManagementAccountSpends = "management-account-spends", Low,
        "no service control policy binds the management account, whatever it says",
        "AWS Organizations User Guide, \"SCP effects on permissions\"";
    /// No budget acts.
    BudgetNeverActs = "budget-never-acts", Low,
        "nothing stops spending when a budget is spent: it tells, and that is all",
        "AWS Cost Management User Guide, \"Configuring a budget action\"";
}

impl fmt::Display for GapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for GapId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which gap.
    pub id: GapId,
    /// How much it matters here.
    pub severity: Severity,
    /// The services that it is about, where it is about some.
    pub services: Vec<Service>,
    /// The regions that it is about, where it is about some.
    pub regions: Vec<String>,
    /// What is missing, in a sentence.
    pub missing: String,
    /// Names of what it was seen by: trails, rules, identities. Bounded, since people choose names.
    pub evidence: Vec<String>,
    /// How many there are, where [`Gap::evidence`] holds only the first.
    pub evidence_in_all: usize,
    /// How to repair it, most telling first.
    pub repair: Vec<Repair>,
}

/// A step that repairs a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// A command, and the one that takes it back.
    Run {
        /// What repairs.
        command: Command,
        /// What makes it as it was.
        undo: Command,
    },
    /// A command that only reads, for whoever has to decide.
    Look(Command),
    /// Something to do.
    Do(String),
}

/// Said in place of a command that a name of somebody's would have made into another one.
const BY_HAND: &str = "by hand: a name of it holds what does not belong into a command";

/// A command: words with spaces between them, and `{}` where one is filled in, in order. None when one that is filled
/// in is not fit for it.
pub(crate) fn command(words: &str, filled: &[&str]) -> Option<Command> {
    let mut filled = filled.iter();
    let words: Option<Vec<&str>> = words
        .split(' ')
        .map(|word| match word {
            "{}" => filled.next().copied().filter(|word| is_fit(word)),
            word => Some(word),
        })
        .collect();
    words.map(Command::new)
}

/// The longest word that is filled in, in bytes: a topic's policy.
const LONGEST_WORD: usize = 8_192;

/// Whether a word stays one. The shell's quotes hold it together, but the AWS CLI takes some for options or for files
/// to fetch, and a terminal does not show all.
fn is_fit(word: &str) -> bool {
    let acts = ["-", "file:", "fileb:", "http:", "https:"];
    !word.is_empty()
        && word.len() <= LONGEST_WORD
        && word.chars().all(tripmeter_model::printable)
        && !acts.iter().any(|prefix| word.starts_with(prefix))
}

impl Repair {
    /// A command and its undoing, where both could be made.
    pub(crate) fn run(command: Option<Command>, undo: Option<Command>) -> Self {
        match command.zip(undo) {
            Some((command, undo)) => Self::Run { command, undo },
            None => Self::step(BY_HAND),
        }
    }

    /// A command that only reads, where it could be made.
    pub(crate) fn look(command: Option<Command>) -> Self {
        command.map_or_else(|| Self::step(BY_HAND), Self::Look)
    }

    /// A stack of one of our templates, which goes as it came.
    pub(crate) fn deploy(stack: &str, template: &str, region: &str, parameters: &[&str]) -> Self {
        let overrides = match parameters.len() {
            0 => String::new(),
            n => format!(" --parameter-overrides{}", " {}".repeat(n)),
        };
        let deploy = format!(
            "aws cloudformation deploy --stack-name {{}} --template-file {{}} --capabilities CAPABILITY_IAM \
             --region {{}}{overrides}"
        );
        Self::run(
            command(&deploy, &[&[stack, template, region], parameters].concat()),
            delete_stack(stack, region),
        )
    }

    /// Something to do, in words.
    pub(crate) fn step(what: impl Into<String>) -> Self {
        Self::Do(what.into())
    }
}

pub(crate) fn delete_stack(stack: &str, region: &str) -> Option<Command> {
    command(
        "aws cloudformation delete-stack --stack-name {} --region {}",
        &[stack, region],
    )
}

/// Names that a gap lists: more tell nobody anything.
const EVIDENCE: usize = 20;
/// The longest of them, in bytes.
const LONGEST: usize = 200;

impl Gap {
    pub(crate) fn new(id: GapId, missing: impl Into<String>) -> Self {
        Self {
            id,
            severity: id.severity(),
            services: Vec::new(),
            regions: Vec::new(),
            missing: missing.into(),
            evidence: Vec::new(),
            evidence_in_all: 0,
            repair: Vec::new(),
        }
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services = services.into_iter().collect();
        self
    }

    pub(crate) fn regions<'a>(mut self, regions: impl IntoIterator<Item = &'a str>) -> Self {
        self.regions = regions.into_iter().map(str::to_owned).collect();
        self
    }

    pub(crate) fn evidence<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        for name in names {
            self.evidence_in_all += 1;
            if self.evidence.len() < EVIDENCE {
                self.evidence.push(tripmeter_model::bounded(name.as_ref(), LONGEST));
            }
        }
        self
    }

    pub(crate) fn repair(mut self, repair: Repair) -> Self {
        self.repair.push(repair);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_make_another_command_makes_none() {
        let of = |name: &str| command("aws budgets delete-budget --budget-name {}", &[name]);

        let quoted = of("mail; rm -rf ~").map(|command| command.to_string());
        assert_eq!(
            quoted.as_deref(),
            Some("aws budgets delete-budget --budget-name 'mail; rm -rf ~'")
        );
        for tricky in [
            "",
            "--profile",
            "file:///etc/passwd",
            "https://evil.example",
            "a\u{1b}[2J",
            "a\nb",
            "\u{202e}x",
        ] {
            assert_eq!(of(tricky), None, "{tricky:?}");
        }
        assert_eq!(Repair::run(of("mail"), of("--profile")), Repair::Do(BY_HAND.to_owned()));
    }
}
