//! One module a subcommand. Exit status: 0 nothing found, 1 findings, 2 purlin could not do its work; of `reach` 0 allow,
//! 1 deny, 3 undefined; of `simulate` 0 holds, 1 breaks, 3 unknown.

mod architecture;
mod check;
#[cfg(feature = "cluster")]
mod cluster;
mod graph;
mod init;
mod input;
#[cfg(feature = "webhook")]
mod install;
mod known;
mod list;
mod migrate;
mod progress;
mod reach;
#[cfg(feature = "webhook")]
mod serve;
mod simulate;

use crate::cli::{Cli, Command, Schema};
use clap::CommandFactory;
use purlin::policy_file;
use purlin::report::{json, simulation};
use purlin::text::visible::visible;
use std::io::{self, Write};
use std::process::ExitCode;

/// purlin could not do its work.
const COULD_NOT: u8 = 2;

/// Runs a subcommand.
pub(crate) fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Check(args) => check::run(&args),
        #[cfg(feature = "cluster")]
        Command::Rbac(args) => cluster::rbac(&args),
        #[cfg(feature = "webhook")]
        Command::Serve(args) => serve::run(args),
        Command::Graph(args) => graph::run(&args),
        #[cfg(feature = "webhook")]
        Command::Install(args) => install::install(&args),
        #[cfg(feature = "webhook")]
        Command::Uninstall(args) => install::uninstall(&args),
        Command::Init(args) => init::run(&args),
        Command::Architecture(args) => architecture::run(&args),
        Command::Reach(args) => reach::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Explain { rule } => list::explain(&rule),
        Command::Rules { format } => list::rules(format),
        Command::Schema { of: Schema::Report } => done(print(json::SCHEMA.as_bytes())),
        Command::Schema { of: Schema::Policy } => done(print(
            format!("{:#}\n", policy_file::schema(purlin::rules::built_in())).as_bytes(),
        )),
        Command::Schema { of: Schema::Architecture } => {
            done(print(format!("{:#}\n", purlin::architecture::schema()).as_bytes()))
        }
        Command::Schema { of: Schema::Simulate } => done(print(simulation::SCHEMA.as_bytes())),
        Command::Migrate(args) => migrate::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "purlin", &mut script);
            done(print(&script))
        }
    }
}

/// Says why purlin could not do its work.
fn fail(message: impl std::fmt::Display) -> ExitCode {
    say(&message.to_string());
    ExitCode::from(COULD_NOT)
}

/// Says on standard error what went wrong.
fn say(message: &str) {
    tell(&format!("error: {message}"));
}

/// Says something on standard error, with nothing in it that a terminal would obey.
fn tell(message: &str) {
    let lines: Vec<_> = message.split('\n').map(visible).collect();
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

/// Writes to standard output; a reader that has heard enough (a broken pipe) is no failure.
fn print(bytes: &[u8]) -> Result<(), ExitCode> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(fail(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

fn done(written: Result<(), ExitCode>) -> ExitCode {
    written.err().unwrap_or(ExitCode::SUCCESS)
}
