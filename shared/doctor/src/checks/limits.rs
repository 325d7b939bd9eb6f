//! What AWS itself would hold back: sending quotas and spend limits, against what was ever used.

use tripmeter_findings::Command;
use tripmeter_model::{Service, Severity};

use super::Case;
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::{Mail, Region};

/// US dollars a month that a new account may spend on texts: a limit nobody has raised.
const NEW_ACCOUNT_USD: f64 = 1.0;
/// Above this, a month's texts are a loss that somebody has to explain.
const GRAVE_USD: f64 = 1_000.0;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let mut gaps = unrestricted(case);
    for (name, region) in &case.inventory.regions {
        gaps.extend(far_above(case, name, region));
        gaps.extend(at_maximum(name, region));
    }
    gaps
}

/// Regions that could send mail at once, and send none.
fn unrestricted(case: &Case<'_>) -> Vec<Gap> {
    let idle: Vec<&str> = case
        .inventory
        .regions
        .iter()
        .filter(|(name, region)| {
            let may_send = region.mail.is_some_and(|mail| mail.sending && mail.production);
            let mut mail = case.used().filter(|used| used.service == Service::Ses);
            may_send && region.metered.is_some() && !mail.any(|used| used.regions.contains(*name))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let Some(first) = idle.first() else {
        return Vec::new();
    };
    vec![
        Gap::new(
            GapId::MailUnrestricted,
            "SES may send to anybody, and sends nothing: it is out of the sandbox.",
        )
        .services([Service::Ses])
        .repair(Repair::run(
            command(
                "aws sesv2 put-account-sending-attributes --no-sending-enabled --region {}",
                &[first],
            ),
            command(
                "aws sesv2 put-account-sending-attributes --sending-enabled --region {}",
                &[first],
            ),
        ))
        .repair(Repair::step("in each region that no application sends from"))
        .regions(idle),
    ]
}

/// The most mails of a day that are known of: the last one, or what the detector saw, which is of all its regions.
fn peak(case: &Case<'_>, region: &str, mail: &Mail) -> f64 {
    let learned = case
        .services
        .iter()
        .filter(|used| used.service == Service::Ses && used.regions.contains(region))
        .filter_map(|used| used.peak_day)
        .fold(0, u64::max) as f64;
    mail.sent_last_day.max(learned)
}

fn far_above(case: &Case<'_>, name: &str, region: &Region) -> Option<Gap> {
    let mail = region.mail.as_ref().filter(|mail| mail.production && mail.sending)?;
    let peak = peak(case, name, mail);
    let far = f64::from(case.terms.quota_ratio) * peak;
    let quota = match mail.per_day {
        Some(quota) if quota > far => format!("{quota:.0} mails a day"),
        Some(_) => return None,
        None => "any number of mails".to_owned(),
    };
    (peak > 0.0).then(|| {
        Gap::new(
            GapId::QuotaAbovePeak,
            format!("SES may send {quota}; the most that was seen is {peak:.0}."),
        )
        .services([Service::Ses])
        .regions([name])
        .repair(Repair::step(
            "ask AWS Support for a sending quota that fits, or give tenants and configuration sets limits of their own",
        ))
    })
}

fn at_maximum(name: &str, region: &Region) -> Vec<Gap> {
    let limits = region.spend_limits.iter().flatten();
    let mut gaps: Vec<Gap> = limits
        .filter(|limit| limit.enforced_usd >= limit.maximum_usd && limit.maximum_usd > NEW_ACCOUNT_USD)
        .map(|limit| {
            Gap::new(
                GapId::SmsLimitAtMaximum,
                format!("{} is {:.0} USD, all that AWS allows.", limit.name, limit.enforced_usd),
            )
            .severity(severity(limit.enforced_usd))
            .services([Service::Sms])
            .regions([name])
            .repair(held_to(&limit.name, name))
        })
        .collect();
    gaps.extend(sns_at_maximum(name, region));
    gaps
}

/// Holds one sort of messages to less; without an override they are held to what AWS allows.
fn held_to(limit: &str, region: &str) -> Repair {
    let sort = limit.strip_suffix("_MESSAGE_MONTHLY_SPEND_LIMIT").unwrap_or(limit);
    let operation = |verb: &str| format!("{verb}-{}-message-spend-limit-override", sort.to_lowercase());
    Repair::run(
        command(
            "aws pinpoint-sms-voice-v2 {} --monthly-limit USD --region {}",
            &[&operation("set"), region],
        ),
        command(
            "aws pinpoint-sms-voice-v2 {} --region {}",
            &[&operation("delete"), region],
        ),
    )
}

/// SNS does not say how much it would allow; its texts are bounded by the maximum of text messages.
fn sns_at_maximum(name: &str, region: &Region) -> Option<Gap> {
    let monthly_usd = region.sns_monthly_usd.filter(|usd| *usd > NEW_ACCOUNT_USD)?;
    let limits = region.spend_limits.as_ref()?;
    let texts = limits.iter().find(|limit| limit.name.starts_with("TEXT_"))?;
    (monthly_usd >= texts.maximum_usd).then(|| {
        Gap::new(
            GapId::SmsLimitAtMaximum,
            format!("SNS may spend {monthly_usd:.0} USD a month on texts, all that AWS allows."),
        )
        .severity(severity(monthly_usd))
        .services([Service::Sns])
        .regions([name])
        .repair(Repair::run(
            monthly("USD", name),
            monthly(&format!("{monthly_usd:.0}"), name),
        ))
    })
}

fn monthly(usd: &str, region: &str) -> Option<Command> {
    command(
        "aws sns set-sms-attributes --attributes {} --region {}",
        &[&format!("MonthlySpendLimit={usd}"), region],
    )
}

fn severity(usd: f64) -> Severity {
    if usd >= GRAVE_USD {
        Severity::High
    } else {
        Severity::Medium
    }
}
