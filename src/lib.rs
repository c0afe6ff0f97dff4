//! purlin checks what runs across Kubernetes objects.

pub mod source;
pub mod tree;
pub mod path;
pub mod load;
