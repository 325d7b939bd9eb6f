//! The Lambda function `control-plane`.

fn main() {}
