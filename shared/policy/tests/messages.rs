//! What a file that is wrong is told: every problem, where it is, and what to do.

use proptest::prelude::*;
use tripmeter_policy::PolicyFile;

/// Files that are wrong, each in its own way.
const WRONG: &[(&str, &str)] = &[
    (
        "a key that is misspelt",
        "[regions]\nall = ['eu-west-1']\nSESS = ['eu-west-1']",
    ),
    ("a section that is misspelt", "[[mutes]]\ntypes = ['LimitProbe']"),
    ("a rule that is no list", "[mute]\ntypes = ['LimitProbe']"),
    ("a section that is a list", "[[accounts]]\n111122223333 = 'payments'"),
    (
        "nobody answers for it",
        "[[mute]]\ntypes = ['LimitProbe']\nidentities = ['*:role/audit']",
    ),
    (
        "empty words",
        "[[mute]]\ntypes = ['LimitProbe']\nservices = ['SES']\nowner = ''\nreason = ' '\nexpires = 2026-12-31",
    ),
    (
        "several at once, in the file's order",
        "[[network]]\ncidr = '0.0.0.0/0'\nowner = 'net'\nreason = 'all of it'\nexpires = 'never'\nexpire = 1\n\n[accounts]\n1111 = 'short'",
    ),
    (
        "networks",
        "[[network]]\ncidr = '203.0.113.7/24'\nowner = 'n'\nreason = 'r'\nexpires = 2026-12-31\n\
         [[network]]\ncidr = '::/0'\nowner = 'n'\nreason = 's'\nexpires = 2026-12-31\n\
         [[network]]\ncidr = 'office'\nowner = 'n'\nreason = 't'\nexpires = 2026-12-31",
    ),
    (
        "patterns for everybody and for nobody",
        "[[automation]]\nidentities = ['*', 'deploy', 'AKIAIOSFODNN7EXAMPLE']\nservices = ['SES']\nper_hour = 10\nper_day = 100\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "everything is muted",
        "[[mute]]\ntypes = ['*']\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "types, services, accounts and a severity that do not exist",
        "[[mute]]\ntypes = ['Discovery:SES/LimitProb', 'Impact:SSE/Hijack', 'Nothing']\nservices = ['Bedrok', 'S3']\naccounts = ['42']\nmax_severity = 'severe'\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "a list that is empty and one that is a text",
        "[[mute]]\ntypes = 'LimitProbe'\nservices = []\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "a window that is inverted",
        "[[campaign]]\nidentities = ['*:role/news']\nservices = ['SES']\nfrom = 2026-12-24\nto = 2026-12-20\nexpected = 40_000\nowner = 'o'\nreason = 'r'",
    ),
    (
        "a campaign without an end in sight",
        "[[campaign]]\nidentities = ['*:role/news']\nservices = ['SES']\nfrom = 2026-01-01\nto = 2028-01-01\nexpected = 40_000\nowner = 'o'\nreason = 'r'",
    ),
    (
        "a time without its offset",
        "[[mute]]\ntypes = ['LimitProbe']\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31T18:00:00",
    ),
    (
        "ceilings",
        "[[automation]]\nidentities = ['*:role/ci']\nservices = ['SES']\nper_hour = 200\nper_day = 100\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31\n\
         [[automation]]\nidentities = ['*:role/cd']\nservices = ['SES']\nper_hour = -1\nper_day = 'many'\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "two rules with one id",
        "[[mute]]\nid = 'quiet'\ntypes = ['LimitProbe']\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31\n\
         [[mute]]\nid = 'quiet'\ntypes = ['DeniedUse']\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31\n\
         [[mute]]\nid = 'aws-services'\ntypes = ['DeniedUse']\nservices = ['SES']\nowner = 'o'\nreason = 'r'\nexpires = 2026-12-31",
    ),
    (
        "regions",
        "[regions]\nall = []\nSES = ['Ireland', '*', 'eu-west', 'eu-*']\n[regions.111122223333]\nBedrok = ['eu-west-1']\nSES = ['eu-west-1']\nses = ['eu-west-2']",
    ),
    ("an owner of everything", "[[owner]]\nname = 'security'"),
    (
        "a rule that does not ship",
        "[builtin]\ndisable = ['posture-scanner']\nenable = []",
    ),
    ("no TOML", "[regions\nall = ['eu-west-1'\nSES = eu"),
    (
        "the same key twice",
        "[accounts]\n111122223333 = 'a'\n111122223333 = 'b'",
    ),
];

#[test]
fn every_problem_is_named_with_its_place_and_a_way_out() {
    let told: Vec<String> = WRONG
        .iter()
        .map(|(what, text)| format!("# {what}\n{}\n", PolicyFile::parse(text).expect_err(what)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_file_that_is_saved_on_windows_is_read_like_any_other() {
    let text = "\u{feff}[accounts]\r\n111122223333 = \"payments\"\r\n[acounts]\r\n";
    let error = PolicyFile::parse(text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3, column 2: there is no section 'acounts'; did you mean 'accounts'?"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = PolicyFile::parse(&text);
    }

    #[test]
    fn no_value_in_the_place_of_another_makes_it_panic(
        section in "\\[?\\[(mute|campaign|automation|network|owner|regions|accounts|builtin)\\]\\]?",
        lines in proptest::collection::vec(
            ("(types|identities|services|accounts|cidr|from|to|expires|owner|reason|expected|all|SES|disable)",
             "('[*a-z0-9:/.-]{0,12}'|\\['[*a-zA-Z0-9:/.-]{0,12}'\\]|[0-9]{1,4}|2026-12-[0-9]{2}|true|\\{\\}|\\[\\]|\\[\\[\\]\\])"),
            0..8,
        ),
    ) {
        let body: Vec<String> = lines.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let _ = PolicyFile::parse(&format!("{section}\n{}", body.join("\n")));
    }

    #[test]
    fn a_place_lies_within_the_file(text in "[a-z\\[\\]=\"'\\n é]{0,80}") {
        if let Err(error) = PolicyFile::parse(&text) {
            for problem in error.problems() {
                prop_assert!(problem.line >= 1 && problem.line <= text.matches('\n').count() + 1);
            }
        }
    }
}

#[test]
fn a_file_with_nothing_in_it_is_usable_and_says_so() {
    for nothing in ["", "# to be written\n"] {
        let report = PolicyFile::parse(nothing).unwrap().report(None);

        let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            ["line 1, column 1: there is nothing in this file: the rules that ship hold, and no other"]
        );
    }
    assert!(PolicyFile::default().report(None).warnings.is_empty());
}
