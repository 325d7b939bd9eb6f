//! SMS pumping: messages to numbers whose operator shares what they cost.

use crate::calls::{operations, sms, sns};
use crate::cast::{DEAR_COUNTRIES, number};
use crate::record::MINUTE;
use crate::scenario::Scenario;

use super::{Plot, Twist, hijack, thieves};

/// Spend limits are raised, a number is requested, then one dear country is texted; then a topic is published to.
pub(super) fn pump(seed: u64, twist: &Twist) -> Scenario {
    let name = "sms-pump";
    let mut plot = Plot::begin(seed, name);
    let victim = plot.victim(twist.stolen);
    let account = plot.id();
    let region = plot.region();
    let country = *plot.dice.pick(&DEAR_COUNTRIES);
    let topic = format!("alerts-{}", plot.dice.hex(5));
    let message = twist.message;

    let seat = plot.sit(&victim);
    for read in ["DescribeAccountLimits", "DescribeSpendLimits", "DescribePhoneNumbers"] {
        plot.act(region, &seat, sms::read(read));
    }
    for read in ["GetSMSAttributes", "GetSMSSandboxAccountStatus"] {
        plot.act(region, &seat, sns::read(read));
    }
    let dollars = *plot.dice.pick(&[2_000, 5_000, 10_000, 50_000]);
    let mut changes = vec![
        sns::set_sms_spend_limit(dollars),
        sns::create_sandbox_number(),
        sns::verify_sandbox_number(),
        operations::create_case("service-limit-increase-sns-text-messaging"),
        sms::raise_spend_limit(message, dollars),
        sms::request_phone_number(message),
        sns::create_topic(&account, region, &topic),
    ];
    if twist.late {
        plot.dice.shuffle(&mut changes);
    }
    for change in changes {
        plot.act(region, &seat, change);
    }
    for _ in 0..40 {
        plot.act(region, &seat, sns::subscribe_phone(&account, region, &topic));
    }
    plot.wait(2 * MINUTE, 120 * MINUTE);

    let origination = format!("phone-{}", plot.dice.hex(32));
    let texts = plot.dice.count(1_000..=3_000);
    for _ in 0..texts {
        let to = number(&mut plot.dice, country);
        plot.abuse(
            "SMS",
            region,
            &seat,
            sms::send(message, &account, region, &origination, &to),
        );
        plot.wait(0, 4);
    }
    let publishes = plot.dice.count(600..=1_200);
    for _ in 0..publishes {
        plot.abuse("SNS", region, &seat, sns::publish(&account, region, &topic));
        plot.wait(1, 5);
    }
    let what = format!(
        "Stolen credentials of {} raise the spend limits to {dollars} USD, request a number, send {texts} messages to \
         {} and publish {publishes} times to a topic of 40 numbers.",
        victim.label(),
        country.0
    );
    plot.finish(
        name,
        what,
        [hijack("SMS", &[&victim]), hijack("SNS", &[&victim])].concat(),
        thieves(&[&victim]),
    )
}
