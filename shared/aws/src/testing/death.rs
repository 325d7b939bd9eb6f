//! A worker that dies: its future is polled so often, and dropped wherever it waits then.

use std::future::poll_fn;
use std::task::Poll;

/// Polls a future so many times and drops it. Whether it had ended by then.
pub async fn dies_after<F: Future>(mut polls: usize, future: F) -> bool {
    let mut future = Box::pin(future);
    poll_fn(move |context| {
        if polls == 0 {
            return Poll::Ready(false);
        }
        polls -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polls == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
