//! The command line: reads arguments, runs the steps, writes the report.

mod cli;
mod commands;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(cli::Cli::parse())
}
