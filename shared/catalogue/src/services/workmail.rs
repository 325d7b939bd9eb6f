//! Amazon WorkMail (`workmail.amazonaws.com`): organisations and users that send mail, outside SES's sandbox.
//!
//! Source: WorkMail API reference; "Logging Amazon WorkMail API calls with AWS CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, context, credential, policy, probe, service};
use PolicyEffect::{PolicyOpened, SenderAdded};

const ORGANIZATION: About = About::Resource(&["organizationId", "alias"]);

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::WorkMail,
    &["workmail"],
    [
        probe("ListOrganizations", "whether mail is sent from here"),
        probe("ListMailDomains", "which domains mail is sent from"),
        policy("CreateOrganization", SenderAdded, "makes an organisation that sends mail").about(ORGANIZATION),
        policy("RegisterMailDomain", SenderAdded, "adds a domain to send from").about(About::Sender(&["domainName"])),
        policy("UpdateDefaultMailDomain", SenderAdded, "changes the domain that mail is sent from")
            .about(About::Sender(&["domainName"])),
        policy("CreateUser", SenderAdded, "adds a mailbox").about(ORGANIZATION),
        policy("RegisterToWorkMail", SenderAdded, "lets a user send mail").about(About::Sender(&["email"])),
        policy("CreateAlias", SenderAdded, "adds an address to send as").about(About::Sender(&["alias"])),
        policy("UpdatePrimaryEmailAddress", SenderAdded, "changes the address that a user sends as")
            .about(About::Sender(&["email"])),
        policy("CreateImpersonationRole", PolicyOpened, "lets an application act as any user").about(ORGANIZATION),
        policy("PutMailboxPermissions", PolicyOpened, "lets a user send as another one").about(ORGANIZATION),
        credential("ResetPassword", "gives a mailbox another password").about(ORGANIZATION),
        context("AssumeImpersonationRole", "an application acts as a user").about(ORGANIZATION),
        context("DeregisterFromWorkMail", "a user may no longer send").about(ORGANIZATION),
        context("DeregisterMailDomain", "a domain removed").about(About::Sender(&["domainName"])),
        context("DeleteUser", "a mailbox removed").about(ORGANIZATION),
        context("DeleteOrganization", "an organisation removed").about(ORGANIZATION),
    ],
);
