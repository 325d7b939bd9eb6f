//! Amazon SES, v1 and v2. Sending is a data event that says `readOnly: true`; recipients are hidden one by one.

use crate::record::{Call, FRESH_ID, HIDDEN};

const SOURCE: &str = "ses.amazonaws.com";
const HOST: &str = "email.{}.amazonaws.com";

/// Which call sends the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// v2 `SendEmail` with a subject and a body.
    Simple,
    /// v2 `SendEmail` with a template.
    Templated,
    /// v1 `SendEmail`.
    First,
    /// v1 `SendRawEmail`.
    Raw,
    /// v2 `SendBulkEmail`.
    Bulk,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Simple, Self::Templated, Self::First, Self::Raw, Self::Bulk];
}

/// One call that sends mail from `sender` (an address of an identity of `account`) to so many people.
pub fn send(way: Way, account: &str, region: &str, sender: &str, recipients: usize) -> Call {
    let to = hidden(recipients);
    let (name, request) = match way {
        Way::Simple => (
            "SendEmail",
            format!(
                r#"{{"fromEmailAddress":"{sender}","destination":{{"toAddresses":{to}}},"content":{{"simple":{{"subject":{{"data":"{HIDDEN}","charset":"UTF-8"}},"body":{{"html":{{"data":"{HIDDEN}","charset":"UTF-8"}}}}}}}}}}"#
            ),
        ),
        Way::Templated => (
            "SendEmail",
            format!(
                r#"{{"fromEmailAddress":"{sender}","destination":{{"toAddresses":{to}}},"content":{{"template":{{"templateData":"{HIDDEN}","templateName":"notice"}}}}}}"#
            ),
        ),
        Way::First => (
            "SendEmail",
            format!(
                r#"{{"destination":{{"toAddresses":{to}}},"message":{{"subject":{{"charset":"UTF-8","data":"{HIDDEN}"}},"body":{{"text":{{"charset":"UTF-8","data":"{HIDDEN}"}}}}}},"source":"{sender}"}}"#
            ),
        ),
        Way::Raw => (
            "SendRawEmail",
            format!(r#"{{"source":"{sender}","destinations":{to},"rawMessage":{{"data":"{HIDDEN}"}}}}"#),
        ),
        Way::Bulk => {
            let entry = format!(
                r#"{{"destination":{{"toAddresses":["{HIDDEN}"]}},"replacementEmailContent":{{"replacementTemplate":{{"replacementTemplateData":"{HIDDEN}"}}}}}}"#
            );
            let entries = vec![entry; recipients].join(",");
            (
                "SendBulkEmail",
                format!(
                    r#"{{"fromEmailAddress":"{sender}","defaultContent":{{"template":{{"templateData":"{HIDDEN}","templateName":"notice"}}}},"bulkEmailEntries":[{entries}]}}"#
                ),
            )
        }
    };
    let identity = sender.split_once('@').map_or(sender, |(_, domain)| domain);
    Call::data(SOURCE, name, HOST, true)
        .with(request)
        .noting(format!(r#"{{"sesMessageId":"{FRESH_ID}-000000"}}"#))
        .on(
            account,
            "AWS::SES::EmailIdentity",
            &format!("arn:aws:ses:{region}:{account}:identity/{identity}"),
        )
}

fn hidden(n: usize) -> String {
    format!("[{}]", vec![format!("\"{HIDDEN}\""); n].join(","))
}

/// A read without parameters: `GetSendQuota`, `GetAccount`, `ListIdentities` and their kin.
pub fn read(name: &'static str) -> Call {
    Call::management(SOURCE, name, HOST, true)
}

/// v2: asks for production access.
pub fn put_account_details() -> Call {
    Call::management(SOURCE, "PutAccountDetails", HOST, false).with(format!(
        r#"{{"mailType":"MARKETING","websiteURL":"{HIDDEN}","contactLanguage":"EN","useCaseDescription":"{HIDDEN}","productionAccessEnabled":true}}"#
    ))
}

/// v2: switches the account's sending on or off.
pub fn put_account_sending(enabled: bool) -> Call {
    Call::management(SOURCE, "PutAccountSendingAttributes", HOST, false)
        .with(format!(r#"{{"sendingEnabled":{enabled}}}"#))
}

/// v1: the same.
pub fn update_account_sending(enabled: bool) -> Call {
    Call::management(SOURCE, "UpdateAccountSendingEnabled", HOST, false).with(format!(r#"{{"enabled":{enabled}}}"#))
}

/// v2: a new sender.
pub fn create_email_identity(identity: &str) -> Call {
    Call::management(SOURCE, "CreateEmailIdentity", HOST, false)
        .with(format!(r#"{{"emailIdentity":"{identity}"}}"#))
        .answered(r#"{"identityType":"DOMAIN","verifiedForSendingStatus":false}"#)
}

/// v1: a new sender.
pub fn verify_email_identity(address: &str) -> Call {
    Call::management(SOURCE, "VerifyEmailIdentity", HOST, false).with(format!(r#"{{"emailAddress":"{address}"}}"#))
}

/// v1: a new sending domain.
pub fn verify_domain_identity(domain: &str) -> Call {
    Call::management(SOURCE, "VerifyDomainIdentity", HOST, false).with(format!(r#"{{"domain":"{domain}"}}"#))
}

/// v1: lets another account send as an identity of this one.
pub fn put_identity_policy(account: &str, region: &str, identity: &str, stranger: &str) -> Call {
    let policy = sending_policy(account, region, identity, stranger);
    Call::management(SOURCE, "PutIdentityPolicy", HOST, false).with(format!(
        r#"{{"identity":"{identity}","policyName":"partners","policy":"{policy}"}}"#
    ))
}

/// v2: the same.
pub fn create_email_identity_policy(account: &str, region: &str, identity: &str, stranger: &str) -> Call {
    let policy = sending_policy(account, region, identity, stranger);
    Call::management(SOURCE, "CreateEmailIdentityPolicy", HOST, false).with(format!(
        r#"{{"emailIdentity":"{identity}","policyName":"partners","policy":"{policy}"}}"#
    ))
}

/// A sending policy, escaped as a JSON string's inside.
fn sending_policy(account: &str, region: &str, identity: &str, stranger: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{stranger}:root"}},"Action":["ses:SendEmail","ses:SendRawEmail"],"Resource":"arn:aws:ses:{region}:{account}:identity/{identity}"}}]}}"#
    )
    .replace('"', "\\\"")
}

/// v2: a configuration set.
pub fn create_configuration_set(name: &str) -> Call {
    Call::management(SOURCE, "CreateConfigurationSet", HOST, false)
        .with(format!(r#"{{"configurationSetName":"{name}"}}"#))
}

/// v2: switches a configuration set's sending on.
pub fn put_configuration_set_sending(name: &str) -> Call {
    Call::management(SOURCE, "PutConfigurationSetSendingOptions", HOST, false)
        .with(format!(r#"{{"configurationSetName":"{name}","sendingEnabled":true}}"#))
}
