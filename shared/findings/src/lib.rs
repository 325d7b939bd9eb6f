//! A finding as OCSF and as text, with what it costs.
