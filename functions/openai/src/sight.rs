//! Whether OpenAI can be seen. A key that is refused, a right that is missing or an audit log that is switched off is
//! blindness at once; silence is, when it lasts.

use serde::{Deserialize, Serialize};
use tripmeter_aws::lost::{self, Lost};
use tripmeter_model::{Finding, MINUTE, Service, Timestamp, bounded};

use crate::{Blind, PollError, Poller, Report, Run};

/// How long OpenAI may be silent before that is blindness, in seconds.
const PATIENCE: i64 = 30 * MINUTE;
/// Where its findings say that their episode lies: in the bookmarks.
const PART: &str = "openai";

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    AuditLog,
    Usage,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::AuditLog => "audit log",
            Self::Usage => "usage",
        }
    }
}

/// An outage, as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Outage {
    /// Since when nothing is seen.
    #[serde(default)]
    since: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    why: String,
    /// Whether it is said in a finding.
    #[serde(default)]
    told: bool,
}

impl Poller {
    /// Says that a source is lost, or seen again. The outage is written before its finding, and forgotten after it.
    pub(crate) async fn settle(
        &self,
        source: Source,
        seen: Result<(), Blind>,
        run: Run<'_>,
        report: &mut Report,
    ) -> Result<(), PollError> {
        let name = format!("sight/{}", source.name());
        let mut bookmark = self.bookmarks.read::<Outage>(&name).await?;
        let before = bookmark.value.clone();
        match seen {
            Ok(()) if before == Outage::default() => return Ok(()),
            Ok(()) => {
                if before.told {
                    self.say(&lost::closed(self.opened(source, &before, run.now))).await?;
                }
                bookmark.value = Outage::default();
            }
            Err(blind) => {
                let outage = &mut bookmark.value;
                report.unanswered.push(format!("{}: {blind}", source.name()));
                let since = *outage.since.get_or_insert(run.now);
                if !outage.told {
                    outage.why = bounded(&blind.to_string(), 256);
                    outage.told = !blind.is_passing() || run.now.since(since) >= PATIENCE;
                }
            }
        }
        if bookmark.value != before {
            self.bookmarks.write(&name, &mut bookmark).await?;
        }
        if bookmark.value.told {
            self.say(&self.opened(source, &bookmark.value, run.now)).await?;
        }
        Ok(())
    }

    async fn say(&self, finding: &Finding) -> Result<(), PollError> {
        self.findings.put(finding, PART, self.held, finding.time).await?;
        Ok(())
    }

    /// The outage as it is published when it begins.
    fn opened(&self, source: Source, outage: &Outage, now: Timestamp) -> Finding {
        let since = outage.since.unwrap_or(now);
        let lost = Lost {
            service: Service::OpenAi,
            account: &self.organisation,
            what: source.name(),
            began: since.seconds(),
            since,
            text: format!("OpenAI's {} cannot be read: {}", source.name(), outage.why),
        };
        lost.opened(now)
    }
}
