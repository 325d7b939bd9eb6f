//! Proves that records still arrive.
