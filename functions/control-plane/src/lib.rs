//! Judges probes, policy changes and credentials as EventBridge delivers them.
