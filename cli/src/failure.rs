//! What to do when a deployed table does not do what was asked.

use anyhow::Error;
use tripmeter_aws::config::Clients;
use tripmeter_aws::dynamodb::Failure;
use tripmeter_model::bounded;

/// The failure, behind what it means for whoever asked.
pub(crate) fn explained(failure: Failure, table: &str, clients: &Clients) -> Error {
    let region = &clients.region;
    let table = bounded(table, 256);
    let meaning = match failure.code.as_deref() {
        Some("ResourceNotFoundException") => {
            format!("there is no table {table} in {region} for these credentials; the stack's outputs name it")
        }
        Some("AccessDeniedException") => format!("these credentials may not do this with table {table} in {region}"),
        Some("UnrecognizedClientException" | "ExpiredTokenException" | "InvalidSignatureException") => {
            "AWS does not take these credentials; log in again".to_owned()
        }
        Some("ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded") => {
            format!("table {table} is busy; try again in a minute")
        }
        Some(_) => format!("table {table} in {region} refuses"),
        None => format!("table {table} in {region} cannot be reached"),
    };
    Error::new(failure).context(meaning)
}
