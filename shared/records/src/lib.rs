//! Bytes to records: every container and envelope that CloudTrail logs come in.
