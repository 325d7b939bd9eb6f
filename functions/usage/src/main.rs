//! The Lambda function `usage`.

fn main() {}
