//! The policy file: parsing, matching, validation.
