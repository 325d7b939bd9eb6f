//! The cast of a scenario: account, regions, dates and names, drawn from ranges by the seed.

use std::sync::Arc;

use crate::dice::Dice;
use crate::record::{DAY, Seconds};

/// The regions that an account has without asking for more.
pub const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
];

/// Models that accounts use, newest generations of several makers.
pub const MODELS: [&str; 12] = [
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "amazon.nova-lite-v1:0",
    "amazon.nova-pro-v1:0",
    "amazon.titan-embed-text-v2:0",
    "meta.llama3-1-70b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "cohere.embed-multilingual-v3",
    "qwen.qwen3-32b-v1:0",
    "openai.gpt-oss-120b-1:0",
];

/// Models that thieves like: the dearest.
pub const DEAR_MODELS: [&str; 5] = [
    "anthropic.claude-3-opus-20240229-v1:0",
    "anthropic.claude-opus-4-20250514-v1:0",
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "anthropic.claude-opus-4-7",
    "ai21.jamba-1-5-large-v1:0",
];

/// Clients that applications use.
pub const APP_AGENTS: [&str; 6] = [
    "Boto3/1.35.10 md/Botocore#1.35.10 ua/2.0 os/linux#5.10.228 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#legacy",
    "Boto3/1.40.2 md/Botocore#1.40.2 exec-env/AWS_Lambda_python3.12",
    "aws-sdk-java/2.29.6 md/io#async md/http#NettyNio ua/2.1 os/Linux#6.1.0 lang/java#21.0.4",
    "aws-sdk-js/3.821.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#20.18.0",
    "aws-sdk-go-v2/1.32.6 ua/2.1 os/linux lang/go#1.23.3 md/GOARCH#arm64",
    "aws-sdk-rust/1.3.3 os/linux lang/rust/1.83.0",
];

/// Clients that people use.
pub const PEOPLE_AGENTS: [&str; 4] = [
    "aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 md/arch#arm64 lang/python#3.11.9 md/pyimpl#CPython",
    "claude-cli/1.0.88 (external, cli) aws-sdk-js/3.821.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Boto3/1.36.1 md/Botocore#1.36.1 ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.12.7 md/pyimpl#CPython",
];

/// Clients that thieves bring.
pub const THIEF_AGENTS: [&str; 6] = [
    "python-urllib3/2.0.7",
    "aiohttp/3.9.5",
    "Go-http-client/2.0",
    "python-requests/2.32.3",
    "okhttp/4.12.0",
    "axios/1.7.7",
];

/// Countries whose messages cost most, by dial prefix and the digits that follow.
pub const DEAR_COUNTRIES: [(&str, usize); 8] = [
    ("+994", 9),
    ("+996", 9),
    ("+992", 9),
    ("+222", 8),
    ("+257", 8),
    ("+261", 9),
    ("+963", 9),
    ("+880", 10),
];

/// Countries where the account's customers are.
const HOME_COUNTRIES: [(&str, usize); 6] = [
    ("+1202555", 4),
    ("+4477009", 5),
    ("+4915", 9),
    ("+336", 8),
    ("+6140", 7),
    ("+5511", 9),
];

/// What the account's programs do, for names.
const SUBJECTS: [&str; 24] = [
    "summary",
    "search",
    "support",
    "billing",
    "orders",
    "catalog",
    "chat",
    "claims",
    "invoices",
    "reports",
    "tickets",
    "reviews",
    "loyalty",
    "payments",
    "shipping",
    "stock",
    "content",
    "survey",
    "booking",
    "pricing",
    "partner",
    "insight",
    "archive",
    "onboarding",
];

/// Everything that varies between two runs of the same scenario.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The seed that drew it all.
    pub seed: u64,
    /// The account.
    pub account: Arc<str>,
    /// The region where the account works.
    pub home: &'static str,
    /// The region where it also works, for some.
    pub second: &'static str,
    /// Regions where nobody works, in no order.
    pub foreign: Vec<&'static str>,
    /// The first day of the log, midnight UTC.
    pub start: Seconds,
    /// The hour (UTC) at which its people's day begins.
    pub opens: f64,
    /// The domain that its mail comes from.
    pub domain: String,
    /// Where its customers' phones are: dial prefix, digits that follow.
    pub country: (&'static str, usize),
    /// Models that its programs use.
    pub models: Vec<&'static str>,
    /// Names that are still free.
    names: Vec<String>,
}

impl Cast {
    /// Draws a cast for `purpose`, the scenario's name.
    pub fn draw(seed: u64, purpose: &str) -> Self {
        let mut dice = Dice::new(seed, purpose);
        let mut regions = REGIONS.to_vec();
        dice.shuffle(&mut regions);
        let mut regions = regions.into_iter();
        let mut names: Vec<String> = SUBJECTS
            .iter()
            .flat_map(|s| ["app-{}", "{}-service", "svc-{}", "{}-worker", "{}-api"].map(|form| form.replace("{}", s)))
            .collect();
        dice.shuffle(&mut names);
        let suffix = dice.range(2..=99);
        Self {
            seed,
            account: account(&mut dice).into(),
            home: regions.next().unwrap_or("us-east-1"),
            second: regions.next().unwrap_or("us-west-2"),
            foreign: regions.collect(),
            // Between January 2025 and June 2026.
            start: (20_089 + dice.range(0..=530)) * DAY,
            opens: dice.real(6.0, 15.0),
            domain: format!("shop{suffix}.example.com"),
            country: *dice.pick(&HOME_COUNTRIES),
            models: dice.some(5, &MODELS),
            names,
        }
    }

    /// A stream of chance of this cast.
    pub fn dice(&self, purpose: &str) -> Dice {
        Dice::new(self.seed, &format!("{}/{purpose}", self.account))
    }

    /// A name that nobody has yet.
    pub fn name(&mut self) -> String {
        self.names
            .pop()
            .unwrap_or_else(|| format!("svc-{}", self.names.capacity()))
    }

    /// Midnight of the log's day `n`.
    pub fn day(&self, n: i64) -> Seconds {
        self.start + n * DAY
    }
}

/// An account id in the form that documentation uses: three digits, each four times.
pub fn account(dice: &mut Dice) -> String {
    let digits = dice.some(3, &['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    digits.into_iter().flat_map(|d| [d; 4]).collect()
}

/// A phone number of a country.
pub fn number(dice: &mut Dice, (prefix, digits): (&str, usize)) -> String {
    let rest: String = (0..digits).map(|_| char::from(*dice.pick(b"0123456789"))).collect();
    format!("{prefix}{rest}")
}

/// A network (IPv4 /24, its first three bytes) of the account: 198.18.0.0/16, which belongs to nobody.
pub fn own_network(dice: &mut Dice) -> String {
    format!("198.18.{}", dice.range(0..=255))
}

/// A network of strangers: 198.19.0.0/16, which belongs to nobody either.
pub fn strange_network(dice: &mut Dice) -> String {
    format!("198.19.{}", dice.range(0..=255))
}

/// An address of a network.
pub fn address(dice: &mut Dice, network: &str) -> String {
    format!("{network}.{}", dice.range(1..=254))
}
