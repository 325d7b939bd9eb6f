//! Baselines, detections, scoring and sequences, as pure functions.
