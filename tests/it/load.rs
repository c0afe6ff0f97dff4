//! What is read, against what kubectl reads.
