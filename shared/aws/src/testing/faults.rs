//! What the network and a busy table do to a call, played between the real client and the embedded database.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// DynamoDB's header that names the operation.
const OPERATION: &str = "x-amz-target";

/// What goes wrong with one try of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing does.
    None,
    /// The table is busy: it was not done.
    Throttled,
    /// DynamoDB is at fault: it was not done.
    Unavailable,
    /// It was done, and nobody hears of it.
    AnswerLost,
    /// The caller may not: it was not done, and is not tried again.
    Denied,
}

impl Storable for Fault {
    type Storer = StoreReplace<Self>;
}

/// An interceptor that plays faults, one for each try, until there are no more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tripmeter_aws::testing::{Fault, Faults, Local};
///
/// let local = Local::start().await;
/// let unlucky = local.client_with(Faults::of("DescribeTable", [Fault::Throttled, Fault::Unavailable]));
/// let described = unlucky.describe_table().table_name(local.state_table()).send().await;
/// assert!(described.is_ok(), "the client tries again");
/// # }
/// ```
#[derive(Debug)]
pub struct Faults {
    operation: &'static str,
    to_come: Mutex<VecDeque<Fault>>,
}

impl Faults {
    /// Of the tries of one operation, as in `PutItem`, in their order.
    pub fn of(operation: &'static str, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            operation,
            to_come: Mutex::new(faults.into_iter().collect()),
        }
    }

    fn next(&self) -> Fault {
        let mut to_come = self.to_come.lock().unwrap_or_else(PoisonError::into_inner);
        to_come.pop_front().unwrap_or(Fault::None)
    }
}

impl Intercept for Faults {
    fn name(&self) -> &'static str {
        "Faults"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let operation = headers.get(OPERATION).and_then(|target| target.rsplit('.').next());
        if operation != Some(self.operation) {
            return Ok(());
        }
        let fault = self.next();
        if !matches!(fault, Fault::None | Fault::AnswerLost) {
            headers.insert(OPERATION, "DynamoDB_20120810.Nothing");
        }
        bag.interceptor_state().store_put(fault);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (status, code): (u16, _) = match bag.load::<Fault>() {
            None | Some(Fault::None) => return Ok(()),
            Some(Fault::Throttled) => (400, "ThrottlingException"),
            Some(Fault::Unavailable | Fault::AnswerLost) => (500, "InternalServerError"),
            Some(Fault::Denied) => (400, "AccessDeniedException"),
        };
        let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"played"}}"#);
        *context.response_mut() = HttpResponse::new(status.try_into()?, body.into());
        Ok(())
    }
}
