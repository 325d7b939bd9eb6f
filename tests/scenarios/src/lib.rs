//! Recorded attacks and benign weeks.
