//! Mass mail through somebody else's SES.

use crate::calls::{iam, operations, ses};
use crate::cast::{REGIONS, account as another_account};
use crate::principal::Principal;
use crate::record::{DAY, MINUTE};
use crate::scenario::{Must, Scenario, Severity};

use super::{Plot, Stolen, Twist, hijack, thieves};

/// Quotas and senders are read, production access is asked for, sending switched on, a sender added, mail sent.
pub(super) fn takeover(seed: u64, twist: &Twist) -> Scenario {
    let name = "ses-takeover";
    let mut plot = Plot::begin(seed, name);
    let victim = plot.victim(twist.stolen);
    let account = plot.id();
    let region = plot.region();
    let domain = format!("{}-news.example.net", plot.dice.hex(6));

    let seat = plot.sit(&victim);
    plot.act("us-east-1", &seat, iam::get_caller_identity());
    let mut reads = [
        "GetSendQuota",
        "GetAccount",
        "ListIdentities",
        "GetAccountSendingEnabled",
    ];
    plot.dice.shuffle(&mut reads);
    for read in reads {
        plot.act(region, &seat, ses::read(read));
    }
    let mut changes = vec![
        ses::put_account_details(),
        if plot.dice.chance(0.5) {
            ses::put_account_sending(true)
        } else {
            ses::update_account_sending(true)
        },
        if plot.dice.chance(0.5) {
            ses::create_email_identity(&domain)
        } else {
            ses::verify_domain_identity(&domain)
        },
    ];
    if twist.late {
        plot.dice.shuffle(&mut changes);
    }
    for change in changes {
        plot.act(region, &seat, change);
        plot.wait(5, 3 * MINUTE);
    }
    plot.wait(10 * MINUTE, 5 * 60 * MINUTE);

    // SES takes at most 50 recipients in a call.
    let (recipients, mails) = (*plot.dice.pick(&[10, 25, 50]), 40_000);
    let sender = format!("news@{domain}");
    for _ in 0..mails / recipients {
        plot.abuse(
            "SES",
            region,
            &seat,
            ses::send(twist.way, &account, region, &sender, recipients),
        );
        plot.wait(1, 6);
    }
    let what = format!(
        "Stolen credentials of {} read the SES quota, ask for production access, switch sending on and add the sender \
         {domain}; {mails} mails follow.",
        victim.label()
    );
    plot.finish(name, what, hijack("SES", &[&victim]), thieves(&[&victim]))
}

/// One of the account's senders is opened to another account, which sends as it.
pub(super) fn identity_policy(seed: u64, twist: &Twist) -> Scenario {
    let name = "ses-identity-policy";
    let mut plot = Plot::begin(seed, name);
    let victim = plot.victim(twist.stolen);
    let (account, home, domain) = (plot.id(), plot.account.cast.home, plot.account.cast.domain.clone());
    let stranger = loop {
        let other = another_account(&mut plot.dice);
        if *other != *account {
            break other;
        }
    };
    let id = if twist.stolen == Stolen::Role {
        format!("{}:mailer", plot.dice.id("AROA", 21))
    } else {
        plot.dice.id("AIDA", 21)
    };
    let sending = Principal::Stranger {
        account: stranger.clone(),
        id,
    };

    let seat = plot.sit(&victim);
    plot.act(home, &seat, ses::read("ListIdentities"));
    let policy = if twist.way == ses::Way::First {
        ses::put_identity_policy(&account, home, &domain, &stranger)
    } else {
        ses::create_email_identity_policy(&account, home, &domain, &stranger)
    };
    plot.act(home, &seat, policy);
    plot.wait(5 * MINUTE, 6 * 60 * MINUTE);

    let seat = plot.sit(&sending);
    let sender = format!("accounts@{domain}");
    let (recipients, calls) = (plot.dice.count(5..=50), plot.dice.count(800..=2_000));
    for _ in 0..calls {
        let call = ses::send(twist.way, &account, home, &sender, recipients);
        let id = plot.log.add_shared(plot.now, home, &seat, call);
        plot.abuse.push(crate::scenario::Abuse {
            time: plot.now,
            event_id: crate::record::uuid(id),
            service: "SES",
        });
        plot.wait(1, 8);
    }
    let what = format!(
        "Stolen credentials of {} let account {stranger} send as {domain}; it sends {calls} times.",
        victim.label()
    );
    plot.finish(
        name,
        what,
        hijack("SES", &[&sending, &victim]),
        thieves(&[&sending, &victim]),
    )
}

/// Production access is asked for in every region within ten seconds.
pub(super) fn region_sweep(seed: u64, twist: &Twist) -> Scenario {
    let name = "region-sweep";
    let mut plot = Plot::begin(seed, name);
    let victim = plot.victim(twist.stolen);
    let seat = plot.sit(&victim);
    let mut regions = REGIONS;
    plot.dice.shuffle(&mut regions);
    let begin = plot.now;
    for (i, region) in (0..).zip(regions) {
        plot.now = begin + i * 10 / 17;
        let call = if twist.late {
            ses::read("GetAccount")
        } else {
            ses::put_account_details()
        };
        plot.abuse("SES", region, &seat, call);
    }
    plot.now += DAY / 24;
    plot.act("us-east-1", &seat, operations::list_service_quotas("ses"));
    let what = format!(
        "Stolen credentials of {} ask for mail in {} regions within ten seconds.",
        victim.label(),
        regions.len()
    );
    let severity = if twist.late { Severity::Medium } else { Severity::High };
    let must = Must {
        what: "the sweep, as one episode, within a minute",
        families: vec!["RegionSweep"],
        service: Some("SES"),
        severity,
        identities: thieves(&[&victim]),
        by_call: None,
        by_minutes: Some(1),
    };
    plot.finish(name, what, [must], thieves(&[&victim]))
}
