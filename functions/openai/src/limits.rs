//! Limits that no audit event tells of, compared with what they were.
//!
//! A few projects in each run, in turn. A change is written down beside the new limits before it is judged, so that a
//! run that dies in between judges the same change, of the same time.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tripmeter_aws::dynamodb::Written;
use tripmeter_model::Timestamp;
use tripmeter_openai::ApiError;
use tripmeter_openai::limits::{Change, Standing, activity, changes};
use tripmeter_openai::pages::{self, List, ModelPermissions, Project, RateLimit, SpendAlert, SpendLimit};

use crate::{Blind, PollError, Poller, Report, Run};

/// Projects of one run.
const PROJECTS: usize = 10;
/// Pages of a list: a hundred entries each.
const PAGES: usize = 10;
/// What the organisation's own limits are kept as.
const ORGANIZATION: &str = "organization";
/// The name of the bookmark that says whose turn it is.
const TURN: &str = "limits";

/// What is known of the limits of a project, or of the organisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known {
    /// As they were last; `None` before they were ever read.
    #[serde(default)]
    standing: Option<Standing>,
    /// What was seen to have changed, and is not judged yet.
    #[serde(default)]
    pending: Vec<Change>,
    /// When that was seen.
    #[serde(default)]
    seen: Timestamp,
    /// Which reading it was.
    #[serde(default)]
    reading: u64,
}

impl Poller {
    /// Compares limits, and judges what was raised. What may not be read is in the log, and is no blindness: not every
    /// organisation has every limit.
    pub(crate) async fn limits(&self, run: Run<'_>, report: &mut Report) -> Result<(), PollError> {
        let mut turn = self.bookmarks.read::<String>(TURN).await?;
        let projects = match self.projects(run).await {
            Ok(projects) => projects,
            Err(blind) => {
                tracing::warn!(why = %blind, "the limits of projects cannot be compared");
                Vec::new()
            }
        };
        let after = projects.iter().filter(|id| **id > turn.value);
        let before = projects.iter().filter(|id| **id <= turn.value);
        let mut last = None;
        let abouts = std::iter::once(ORGANIZATION).chain(after.chain(before).take(PROJECTS).map(String::as_str));
        for about in abouts {
            if Instant::now() >= run.until {
                break;
            }
            match self.read_limits(about, run).await {
                Ok(standing) => self.compare(about, standing, run, report).await?,
                Err(blind) => tracing::warn!(about, why = %blind, "limits cannot be compared"),
            }
            last = Some(about).filter(|about| *about != ORGANIZATION).or(last);
        }
        if let Some(last) = last {
            turn.value = last.to_owned();
            self.bookmarks.write(TURN, &mut turn).await?;
        }
        Ok(())
    }

    /// The ids of the projects, in their order.
    async fn projects(&self, run: Run<'_>) -> Result<Vec<String>, Blind> {
        let projects: Vec<Project> = self
            .list(&pages::projects, |project: &Project| &project.id, run)
            .await?;
        let active = projects
            .into_iter()
            .filter(|project| project.status.as_deref() != Some("archived"));
        let mut ids: Vec<String> = active.map(|project| project.id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    async fn read_limits(&self, about: &str, run: Run<'_>) -> Result<Standing, Blind> {
        let mut standing = Standing::default();
        let path = |what: &str| match about {
            ORGANIZATION => Some(format!("/organization/{what}")),
            project => pages::of_project(project, what),
        };
        let (Some(limit), Some(alerts)) = (path("spend_limit"), path("spend_alerts")) else {
            return Ok(standing);
        };
        let limit: Option<SpendLimit> = absent(self.get(&limit, run).await)?;
        standing.spend_limit(limit.as_ref());
        let page = |after: Option<&str>| pages::list(&alerts, 100, after);
        for alert in absent(self.list(&page, |alert: &SpendAlert| &alert.id, run).await)?.unwrap_or_default() {
            standing.spend_alert(&alert);
        }
        if about == ORGANIZATION {
            return Ok(standing);
        }
        let (Some(models), Some(rates)) = (path("model_permissions"), path("rate_limits")) else {
            return Ok(standing);
        };
        let models: Option<ModelPermissions> = absent(self.get(&models, run).await)?;
        standing.models(models.as_ref());
        let page = |after: Option<&str>| pages::list(&rates, 100, after);
        for limit in absent(self.list(&page, |limit: &RateLimit| &limit.id, run).await)?.unwrap_or_default() {
            standing.rate_limit(&limit);
        }
        Ok(standing)
    }

    /// Every entry of a list.
    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        path: &impl Fn(Option<&str>) -> String,
        id: impl Fn(&T) -> &String,
        run: Run<'_>,
    ) -> Result<Vec<T>, Blind> {
        let mut entries: Vec<T> = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let page: List<T> = self.get(&path(after.as_deref()), run).await?;
            let last = page.last_id.or_else(|| page.data.last().map(|entry| id(entry).clone()));
            entries.extend(page.data);
            if !page.has_more || last.is_none() || last == after {
                break;
            }
            after = last;
        }
        Ok(entries)
    }

    async fn compare(
        &self,
        about: &str,
        standing: Standing,
        run: Run<'_>,
        report: &mut Report,
    ) -> Result<(), PollError> {
        let name = format!("limits/{about}");
        let mut bookmark = self.bookmarks.read::<Known>(&name).await?;
        if !bookmark.value.pending.is_empty() {
            self.judge_changes(about, &bookmark.value, run, report).await?;
            bookmark.value.pending.clear();
        }
        if bookmark.value.standing.as_ref() == Some(&standing) && bookmark.version > 0 {
            return Ok(());
        }
        let before = bookmark.value.standing.replace(standing);
        let after = bookmark.value.standing.as_ref();
        bookmark.value.pending = before
            .as_ref()
            .zip(after)
            .map_or_else(Vec::new, |(was, is)| changes(was, is));
        bookmark.value.seen = run.now;
        bookmark.value.reading += 1;
        if self.bookmarks.write(&name, &mut bookmark).await? == Written::Refused || bookmark.value.pending.is_empty() {
            return Ok(());
        }
        self.judge_changes(about, &bookmark.value, run, report).await?;
        bookmark.value.pending.clear();
        self.bookmarks.write(&name, &mut bookmark).await?;
        Ok(())
    }

    async fn judge_changes(
        &self,
        about: &str,
        known: &Known,
        run: Run<'_>,
        report: &mut Report,
    ) -> Result<(), PollError> {
        let activities: Vec<_> = known
            .pending
            .iter()
            .map(|change| activity(change, about, known.reading, known.seen, &self.organisation))
            .collect();
        report.outcomes.push(self.judge(&activities, run).await?);
        Ok(())
    }
}

/// What is not there is `None`: a limit that nobody set.
fn absent<T>(answer: Result<T, Blind>) -> Result<Option<T>, Blind> {
    match answer {
        Err(Blind::Api(ApiError::NotFound { .. })) => Ok(None),
        answer => answer.map(Some),
    }
}
