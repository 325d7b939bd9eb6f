//! One file per watched service: which call means what, and its quantity.
