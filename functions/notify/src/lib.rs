//! Publishes findings from the table to SNS.
