//! The Lambda function `canary`.

fn main() {}
