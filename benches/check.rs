//! Loading and checking, against the bare parse of the same bytes on the same threads: `cargo bench`.
//!
//! Ratios within one run are what counts; seconds are the machine's. `cargo bench -- 1000 10000 100000` says how many
//! documents. Memory is the high-water mark of a process of its own, which only Linux tells.

mod corpus;
#[allow(dead_code, reason = "the other benches use the rest")]
mod measure;

use granit_parser::Parser;
use measure::{high_water, median, peak, time};
use purlin::check::{Selection, check};
use purlin::load::read::decode;
use purlin::load::{load, load_texts};
use purlin::model::Model;
use purlin::policy::{Policy, Preset};
use purlin::report::json;
use purlin::run::Run;
use rayon::prelude::*;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [task, folder] = arguments.as_slice()
        && task == "memory"
    {
        check_all(Path::new(folder), &Policy::default());
        println!("{}", high_water().unwrap_or(0));
        return Ok(());
    }
    let sizes: Vec<usize> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    println!(
        "{:>9} {:>8} {:>9} {:>14} {:>14} {:>14} {:>14} {:>10} {:>9}",
        "documents",
        "MB",
        "parse",
        "load texts",
        "load files",
        "check",
        "strict",
        "µs/doc",
        "memory"
    );
    for size in sizes {
        measure(size)?;
    }
    Ok(())
}

fn measure(size: usize) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let bytes = corpus::write(folder.path(), size)?;
    let texts = texts(folder.path())?;
    let rounds = (200_000 / size).clamp(3, 25);
    let mut times = [const { Vec::new() }; 5];
    // Taking turns, so that what else runs on the machine disturbs all alike.
    for _ in 0..rounds {
        times[0].push(time(|| parse_all(&texts)));
        times[1].push(time(|| load_texts(texts.clone())));
        times[2].push(time(|| load(&[folder.path().to_path_buf()])));
        times[3].push(time(|| check_all(folder.path(), &Policy::default())));
        times[4].push(time(|| check_all(folder.path(), &strict())));
    }
    let [parse, load_texts, load, check, strict] = times.map(median);
    let ratio = |it: Duration| format!("{:.1?} {:.2}×", it, it.as_secs_f64() / parse.as_secs_f64());
    let memory =
        peak(folder.path())?.map_or("-".into(), |it| format!("{:.1}×", it as f64 / bytes as f64));
    println!(
        "{size:>9} {:>8.1} {:>9} {:>14} {:>14} {:>14} {:>14} {:>10.1} {memory:>9}",
        bytes as f64 / 1e6,
        format!("{parse:.1?}"),
        ratio(load_texts),
        ratio(load),
        ratio(check),
        ratio(strict),
        check.as_secs_f64() * 1e6 / size as f64,
    );
    Ok(())
}

/// What is timed to be compared with: events, and nothing made of them.
fn parse_all(texts: &[(String, Arc<str>)]) {
    texts.par_iter().for_each(|(_, text)| {
        let options = granit_parser::options! { emit_comments: false };
        for event in Parser::new_from_str_with_options(text, options) {
            black_box(event).ok();
        }
    });
}

/// All that `purlin check` does but for printing.
fn check_all(folder: &Path, policy: &Policy) -> usize {
    let loaded = load(&[folder.to_path_buf()]);
    let model = Model::new(&loaded, "default");
    let outcome = check(&model, policy, &Run::default(), &Selection::default());
    json::render(&model, &outcome).len()
}

/// All rules, schemas and all.
fn strict() -> Policy {
    Policy { extends: vec![Preset::Strict], ..Policy::default() }
}

fn texts(folder: &Path) -> io::Result<Vec<(String, Arc<str>)>> {
    let mut texts = Vec::new();
    for namespace in fs::read_dir(folder)? {
        for file in fs::read_dir(namespace?.path())? {
            let path = file?.path();
            let text = decode::decode(fs::read(&path)?).map_err(io::Error::other)?;
            texts.push((path.display().to_string(), text));
        }
    }
    texts.sort();
    Ok(texts)
}
