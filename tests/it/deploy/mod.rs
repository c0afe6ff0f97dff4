//! `deploy/`: the files agree with the rules and with each other, `purlin install` prints what they say, and a real API
//! server takes it.

mod apply;
mod install;
mod lock_out;
mod manifests;
mod requests;
mod rights;

pub(crate) use lock_out::configuration;
