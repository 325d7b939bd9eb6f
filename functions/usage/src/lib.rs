//! Judges use in batches from a queue.
