//! Running the programs that render: with a limit on time and output, and without input.

use super::complaint::complaint;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The most that a program may print.
const MOST_BYTES: u64 = 256 << 20;

/// What is kept of its complaints.
const MOST_COMPLAINTS: u64 = 64 << 10;

/// The program of this name on the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|it| it.join(&name)).find(|it| is_program(it))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Why a program gave nothing.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What it complained of, or what it did.
    pub(crate) why: String,
    /// Whether it did not come to an end.
    pub(crate) is_stuck: bool,
}

impl From<String> for Broken {
    fn from(why: String) -> Broken {
        Broken { why, is_stuck: false }
    }
}

/// Runs a program to its end and gives what it printed.
///
/// # Errors
///
/// What it complained of; or that it did not start, took longer than `most`, or printed too much.
pub(crate) fn run(command: &mut Command, most: Duration) -> Result<String, Broken> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        format!("`{program}` cannot be started: {}", crate::load::files::describe(&error))
    })?;
    let (send, receive) = mpsc::channel();
    let mut readers = 0;
    let mut read = |pipe: Option<Box<dyn Read + Send>>, limit: u64, is_output: bool| {
        let Some(mut pipe) = pipe else { return };
        let send = send.clone();
        readers += 1;
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.by_ref().take(limit + 1).read_to_end(&mut bytes);
            if !is_output {
                // The rest is read too, or the program would wait for somebody to.
                let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            }
            // Who gave up waiting does not listen.
            let _ = send.send((is_output, read.map(|_| bytes)));
        });
    };
    let stdout = child.stdout.take().map(|it| Box::new(it) as Box<dyn Read + Send>);
    let stderr = child.stderr.take().map(|it| Box::new(it) as Box<dyn Read + Send>);
    read(stdout, MOST_BYTES, true);
    read(stderr, MOST_COMPLAINTS, false);
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let deadline = Instant::now() + most;
    let too_long = || Broken {
        why: format!("it took longer than {} seconds", most.as_secs()),
        is_stuck: true,
    };
    let mut failure: Option<Broken> = None;
    for _ in 0..readers {
        let left = deadline.saturating_duration_since(Instant::now());
        match receive.recv_timeout(left) {
            Ok((true, Ok(bytes))) if bytes.len() as u64 > MOST_BYTES => {
                failure = Some(format!("it printed more than {} MiB", MOST_BYTES >> 20).into());
            }
            Ok((true, Ok(bytes))) => output = bytes,
            Ok((false, Ok(bytes))) => complaints = bytes,
            Ok((_, Err(error))) => failure = Some(crate::load::files::describe(&error).into()),
            Err(_) => failure = Some(too_long()),
        }
        if failure.is_some() {
            break;
        }
    }
    if failure.is_some() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
    }
    let status = loop {
        match child.try_wait().map_err(|error| crate::load::files::describe(&error))? {
            Some(status) => break status,
            // It has closed its output and goes on.
            None if Instant::now() >= deadline => {
                failure = Some(too_long());
                let _ = child.kill();
                break child.wait().map_err(|error| crate::load::files::describe(&error))?;
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    match failure {
        Some(broken) => Err(broken),
        None if !status.success() => Err(complaint(&complaints).into()),
        None => {
            String::from_utf8(output).map_err(|_| "it printed what is no UTF-8".to_string().into())
        }
    }
}

/// Keeps a program from the network. What is remote is refused before; this is for what was not recognized.
pub(crate) fn refuse_network(command: &mut Command) {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    command.env("GIT_ALLOW_PROTOCOL", "none").env("GIT_TERMINAL_PROMPT", "0");
}
