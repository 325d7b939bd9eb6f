//! List prices for estimates, in US dollars, on demand, written down by hand.
//!
//! Where each group of rows comes from stands above it. Whoever negotiated other prices reads the estimate as an
//! order of magnitude, which is what decides whether somebody is woken.

/// The date of the table.
pub const AS_OF: &str = "2026-11";

/// Tokens that a model call is taken to read, since CloudTrail has no token counts.
pub const TYPICAL_INPUT_TOKENS: u64 = 2_000;
/// Tokens that a model call is taken to write.
pub const TYPICAL_OUTPUT_TOKENS: u64 = 500;

/// Nanodollars for a mail: 0.10 USD a thousand recipients (Amazon SES, outbound mail, pay as you go).
pub(crate) const SES_MAIL: u64 = 100_000;
/// Nanodollars for a publish: 0.50 USD a million requests (Amazon SNS, standard topics).
pub(crate) const SNS_PUBLISH: u64 = 500;

/// What a model costs by the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// Part of the model's id that stands for this row; the longest that fits decides.
    pub model: &'static str,
    /// Nanodollars for a token read: thousandths of a dollar for a million.
    pub input_nanodollars: u64,
    /// Nanodollars for a token written.
    pub output_nanodollars: u64,
}

impl ModelPrice {
    /// Nanodollars for a call of typical size.
    pub(crate) fn typical_call(&self) -> u64 {
        TYPICAL_INPUT_TOKENS * self.input_nanodollars + TYPICAL_OUTPUT_TOKENS * self.output_nanodollars
    }

    /// Nanodollars for a token of such a call, read or written.
    pub fn blended_token(&self) -> u64 {
        self.typical_call() / (TYPICAL_INPUT_TOKENS + TYPICAL_OUTPUT_TOKENS)
    }
}

/// What a text message costs by its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsPrice {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Nanodollars for one part of a message.
    pub nanodollars: u64,
}

/// The price of a model, by its id without region and geography. A model that is not in the table costs as a
/// middle one that thieves like.
pub fn model(id: &str) -> ModelPrice {
    let id = id.to_ascii_lowercase();
    MODELS
        .iter()
        .filter(|row| id.contains(row.model))
        .max_by_key(|row| row.model.len())
        .copied()
        .unwrap_or(UNKNOWN_MODEL)
}

/// The price of a text message to a country. One that is not in the table costs as a dear one: messages are pumped
/// to where they are.
pub fn sms(country: &str) -> SmsPrice {
    SMS.iter()
        .find(|row| row.country.eq_ignore_ascii_case(country))
        .copied()
        .unwrap_or(UNKNOWN_COUNTRY)
}

/// Sonnet's price.
const UNKNOWN_MODEL: ModelPrice = per_million("", 3_000, 15_000);

/// Between what AWS's samples show for Europe (0.06) and what the dearest destinations cost (0.50).
const UNKNOWN_COUNTRY: SmsPrice = part("", 100_000_000);

/// A row, in thousandths of a dollar for a million tokens in and out.
const fn per_million(model: &'static str, input: u64, output: u64) -> ModelPrice {
    ModelPrice {
        model,
        input_nanodollars: input,
        output_nanodollars: output,
    }
}

/// A row, in nanodollars for one part.
const fn part(country: &'static str, nanodollars: u64) -> SmsPrice {
    SmsPrice { country, nanodollars }
}

/// Amazon Bedrock, on demand, in the global profile where there is one: a geographic one (`us.`, `eu.`) costs about a
/// tenth more. As public price lists carried them in 2026-11; `tests/conformance/test_prices.py` compares.
pub const MODELS: &[ModelPrice] = &[
    // Anthropic. Claude Platform on AWS charges the same.
    per_million("claude-3-haiku", 250, 1_250),
    per_million("claude-3-5-haiku", 800, 4_000),
    per_million("claude-haiku", 1_000, 5_000),
    per_million("claude-haiku-5-5", 100, 500),
    per_million("claude-3-sonnet", 3_000, 15_000),
    per_million("claude-3-5-sonnet", 3_000, 15_000),
    per_million("claude-3-7-sonnet", 3_000, 15_000),
    per_million("claude-sonnet", 3_000, 15_000),
    per_million("claude-sonnet-5", 2_000, 10_000),
    per_million("claude-3-opus", 15_000, 75_000),
    per_million("claude-opus", 5_000, 25_000),
    per_million("claude-opus-4-1", 15_000, 75_000),
    per_million("claude-opus-4-2025", 15_000, 75_000),
    per_million("claude-opus-5-5", 4_000, 20_000),
    per_million("claude-fable", 10_000, 50_000),
    per_million("claude-fable-5-2", 8_000, 40_000),
    per_million("claude-mythos", 8_000, 40_000),
    // Amazon.
    per_million("nova-micro", 35, 140),
    per_million("nova-lite", 60, 240),
    per_million("nova-pro", 800, 3_200),
    per_million("nova-premier", 2_500, 12_500),
    per_million("nova-sonic", 60, 240),
    per_million("nova-2-lite", 300, 2_500),
    per_million("nova-2-sonic", 330, 2_750),
    per_million("titan-text-express", 200, 600),
    per_million("titan-text-lite", 150, 200),
    per_million("titan-embed-text-v1", 100, 0),
    per_million("titan-embed-text-v2", 20, 0),
    // Meta.
    per_million("llama3-8b", 300, 600),
    per_million("llama3-70b", 2_650, 3_500),
    per_million("llama3-1-8b", 220, 220),
    per_million("llama3-1-70b", 720, 720),
    per_million("llama3-2-1b", 100, 100),
    per_million("llama3-2-3b", 150, 150),
    per_million("llama3-2-11b", 160, 160),
    per_million("llama3-2-90b", 720, 720),
    per_million("llama3-3-70b", 720, 720),
    per_million("llama4-maverick", 240, 970),
    per_million("llama4-scout", 170, 660),
    // Mistral.
    per_million("mistral-7b", 150, 200),
    per_million("mixtral-8x7b", 450, 700),
    per_million("mistral-small-2402", 1_000, 3_000),
    per_million("mistral-large-2402", 4_000, 12_000),
    per_million("mistral-large-3", 500, 1_500),
    per_million("pixtral-large", 2_000, 6_000),
    per_million("magistral-small", 500, 1_500),
    per_million("devstral", 400, 2_000),
    per_million("ministral-3-3b", 100, 100),
    per_million("ministral-3-8b", 150, 150),
    per_million("ministral-3-14b", 200, 200),
    per_million("voxtral-mini", 40, 40),
    per_million("voxtral-small", 100, 300),
    // OpenAI.
    per_million("gpt-oss-20b", 70, 300),
    per_million("gpt-oss-120b", 150, 600),
    per_million("gpt-5.4", 2_750, 16_500),
    per_million("gpt-5.5", 5_500, 33_000),
    per_million("gpt-5.6-luna", 200, 1_200),
    per_million("gpt-5.6-terra", 2_000, 12_000),
    per_million("gpt-5.6-sol", 4_000, 20_000),
    per_million("gpt-6-luna", 100, 500),
    per_million("gpt-6-sol", 2_000, 10_000),
    per_million("gpt-6-astra", 10_000, 50_000),
    per_million("gpt-6.1-terra", 1_000, 5_000),
    per_million("gpt-6.1-sol", 2_000, 10_000),
    // Others.
    per_million("deepseek.r1", 1_350, 5_400),
    per_million("gemma-3-4b", 40, 80),
    per_million("gemma-3-12b", 90, 290),
    per_million("gemma-3-27b", 230, 380),
    per_million("glm-5.3", 1_680, 5_280),
    per_million("kimi-k3", 3_000, 15_000),
    per_million("kimi-k3.1", 4_000, 20_000),
    per_million("nemotron-nano", 60, 240),
    per_million("nemotron-super-3", 150, 650),
    per_million("palmyra-x4", 2_500, 10_000),
    per_million("palmyra-x5", 600, 6_000),
    per_million("qwen3-32b", 150, 600),
    per_million("qwen3-coder-30b", 150, 600),
    per_million("qwen3-coder-480b", 450, 1_800),
    per_million("qwen3-vl-235b", 530, 2_660),
];

/// The United States and Spain: the prices inside sample events of the AWS End User Messaging SMS guide (2024-10,
/// 2025-10), the American one with the carrier's fee. All others: orders of magnitude of what bulk carriers ask
/// publicly, 2025, rounded hard; AWS publishes its list as a download that was not read.
pub const SMS: &[SmsPrice] = &[
    part("US", 8_830_000),
    part("ES", 60_870_000),
    // North America, Australia, China: cheap.
    part("AU", 35_000_000),
    part("CA", 10_000_000),
    part("CN", 30_000_000),
    part("IN", 40_000_000),
    part("KR", 35_000_000),
    part("MX", 45_000_000),
    part("BR", 35_000_000),
    // Europe and Japan.
    part("AT", 90_000_000),
    part("BE", 100_000_000),
    part("CH", 70_000_000),
    part("DE", 100_000_000),
    part("DK", 50_000_000),
    part("FI", 90_000_000),
    part("FR", 75_000_000),
    part("GB", 45_000_000),
    part("IE", 80_000_000),
    part("IT", 85_000_000),
    part("JP", 75_000_000),
    part("NL", 100_000_000),
    part("NO", 70_000_000),
    part("PL", 40_000_000),
    part("PT", 45_000_000),
    part("SE", 60_000_000),
    part("ZA", 30_000_000),
    // Where messages are pumped to: the carrier pays the thief a share.
    part("AE", 110_000_000),
    part("AZ", 350_000_000),
    part("BD", 300_000_000),
    part("DZ", 250_000_000),
    part("EG", 300_000_000),
    part("ET", 250_000_000),
    part("ID", 380_000_000),
    part("IQ", 250_000_000),
    part("IR", 250_000_000),
    part("JO", 350_000_000),
    part("KE", 120_000_000),
    part("KG", 300_000_000),
    part("KH", 250_000_000),
    part("KZ", 250_000_000),
    part("LK", 250_000_000),
    part("MA", 150_000_000),
    part("MG", 400_000_000),
    part("MM", 250_000_000),
    part("MY", 150_000_000),
    part("NG", 250_000_000),
    part("NP", 200_000_000),
    part("OM", 150_000_000),
    part("PH", 200_000_000),
    part("PK", 300_000_000),
    part("QA", 120_000_000),
    part("RU", 500_000_000),
    part("SA", 150_000_000),
    part("TJ", 350_000_000),
    part("TN", 250_000_000),
    part("UA", 150_000_000),
    part("UZ", 300_000_000),
    part("VN", 150_000_000),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_longest_row_that_fits_decides() {
        assert_eq!(
            model("anthropic.claude-opus-4-1-20250805-v1:0").output_nanodollars,
            75_000
        );
        assert_eq!(model("anthropic.claude-opus-4-6-v1").output_nanodollars, 25_000);
        assert_eq!(model("Claude-Opus-5-5").output_nanodollars, 20_000);
        assert_eq!(model("a.model.of.tomorrow"), UNKNOWN_MODEL);
    }

    #[test]
    fn a_country_that_is_not_in_the_table_is_dear() {
        assert_eq!(sms("us").nanodollars, 8_830_000);
        assert_eq!(sms("XX"), UNKNOWN_COUNTRY);
    }

    #[test]
    fn no_row_stands_twice() {
        let models: BTreeSet<&str> = MODELS.iter().map(|row| row.model).collect();
        let countries: BTreeSet<&str> = SMS.iter().map(|row| row.country).collect();

        assert_eq!((models.len(), countries.len()), (MODELS.len(), SMS.len()));
    }
}
