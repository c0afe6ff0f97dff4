//! How the work grows with the input: `cargo bench --bench growth`.
//!
//! Each [`dimension`](dimensions::DIMENSIONS) is a function that makes an input of a size. The size is doubled, and the
//! exponent printed: 1 where twice the input is twice the work, 2 where it is four times. The work is counted, not timed,
//! so that the figure is the same on a busy machine: valgrind counts the blocks of instructions that a program enters
//! ([`count`]). The work on next to nothing is taken off, since it is there whatever the size.
//!
//! An exponent above [`MOST`] is a failure, unless it is [excepted](exceptions) with a reason.
//!
//! What is done with an input is a [surface](surface::Surface): a check, a check in another format, `reach`, or one
//! admission review. `-- check sarif reach admission` says which; `check` alone unless told. Other words choose
//! dimensions by a part of their names, `-- list` lists them, and numbers are the sizes: `-- sarif keys 1000 2000`.
//! `--program PATH` counts another build of purlin, say that of the tests; admission is judged by the bench itself.
//!
//! To add a dimension: a line in `growth/dimensions`. To add something that is done with an input: a surface.

#[path = "growth/count.rs"]
mod count;
#[path = "growth/dimensions/mod.rs"]
mod dimensions;
#[path = "growth/exceptions.rs"]
mod exceptions;
#[path = "growth/input.rs"]
mod input;
#[path = "growth/surface.rs"]
mod surface;

use dimensions::{DIMENSIONS, Dimension};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{env, io, thread};
use surface::Surface;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The largest exponent that passes: n log n at these sizes, with room for what is not so even.
const MOST: f64 = 1.35;

const SIZES: [usize; 3] = [500, 1_000, 2_000];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [task, folder, reviews] = arguments.as_slice()
        && task == surface::REVIEW
    {
        return surface::review(folder.as_ref(), reviews.parse().unwrap_or(0));
    }
    let asked = match Asked::read(arguments) {
        Ok(asked) => asked,
        Err(word) => {
            eprintln!("no dimension has `{word}` in its name; `-- list` lists them");
            return ExitCode::FAILURE;
        }
    };
    match asked.count() {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => {
            println!("\n{} grow otherwise than they may:", failures.len());
            failures.iter().for_each(|it| println!("  {it}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What the arguments ask for.
struct Asked {
    program: PathBuf,
    surfaces: Vec<Surface>,
    dimensions: Vec<&'static Dimension>,
    sizes: Vec<usize>,
}

impl Asked {
    fn read(arguments: Vec<String>) -> Result<Asked, String> {
        let mut asked = Asked {
            program: PathBuf::from(env!("CARGO_BIN_EXE_purlin")),
            surfaces: Vec::new(),
            dimensions: Vec::new(),
            sizes: Vec::new(),
        };
        let mut arguments = arguments.into_iter();
        while let Some(word) = arguments.next() {
            let before = asked.dimensions.len();
            if word == "--program" {
                asked.program = arguments.next().map(PathBuf::from).ok_or(word)?;
            } else if word == "list" {
                DIMENSIONS.iter().for_each(|it| println!("{}", it.name));
                std::process::exit(0);
            } else if let Some(surface) = Surface::named(&word) {
                asked.surfaces.push(surface);
            } else if let Ok(size) = word.parse() {
                asked.sizes.push(size);
            } else {
                asked.dimensions.extend(DIMENSIONS.iter().filter(|it| it.name.contains(&word)));
                if asked.dimensions.len() == before {
                    return Err(word);
                }
            }
        }
        if asked.surfaces.is_empty() {
            asked.surfaces.push(Surface::Check("json"));
        }
        if asked.dimensions.is_empty() {
            asked.dimensions = DIMENSIONS.clone();
        }
        if asked.sizes.is_empty() {
            asked.sizes = SIZES.to_vec();
        }
        Ok(asked)
    }

    /// Counts everything that was asked for, as many at a time as there are cores, and prints it. Gives what fails.
    fn count(&self) -> io::Result<Vec<String>> {
        let mut each = Vec::new();
        for surface in &self.surfaces {
            // What is there whatever the input.
            let constant = surface.steps(&self.program, &(DIMENSIONS[0].input)(1))?;
            each.extend(self.dimensions.iter().map(|it| Task {
                surface: *surface,
                dimension: it,
                constant,
            }));
        }
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        println!("{:>10}  {:42} steps and exponents", "", "dimension");
        thread::scope(|scope| {
            for _ in 0..cores {
                let (sender, each, next) = (sender.clone(), &each, &next);
                scope.spawn(move || {
                    while let Some(task) = each.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if sender.send((task, self.steps(task))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut failures = Vec::new();
            for (task, steps) in receiver {
                match steps? {
                    Some(steps) => failures.extend(self.tell(task, &steps)),
                    None => println!("{}  left out", task.name()),
                }
            }
            Ok(failures)
        })
    }

    /// The steps for each size; nothing where the surface has no use for the input, or a program is not there.
    fn steps(&self, task: &Task) -> io::Result<Option<Vec<u64>>> {
        if !task.surface.takes(&(task.dimension.input)(1)) {
            return Ok(None);
        }
        let steps =
            |size: &usize| task.surface.steps(&self.program, &(task.dimension.input)(*size));
        self.sizes.iter().map(steps).collect::<io::Result<_>>().map(Some)
    }

    /// Prints a line; gives it where it fails.
    fn tell(&self, task: &Task, steps: &[u64]) -> Option<String> {
        let mut line = task.name();
        let mut exponent = 0.0;
        for (at, (size, count)) in self.sizes.iter().zip(steps).enumerate() {
            line += &format!(" {size}: {:.1}M", *count as f64 / 1e6);
            if at > 0 {
                let doublings = (*size as f64 / self.sizes[at - 1] as f64).log2();
                exponent = count::exponent(task.constant, steps[at - 1], *count) / doublings;
                line += &format!(" ^{exponent:.2}");
            }
        }
        let excepted = exceptions::reason(task.surface, task.dimension.name);
        let verdict = match (exponent > MOST, excepted) {
            (true, None) => "  FAILS".to_string(),
            (true, Some(reason)) => format!("  excepted: {reason}"),
            (false, _) => String::new(),
        };
        println!("{line}{verdict}");
        (exponent > MOST && excepted.is_none()).then_some(line)
    }
}

/// A dimension on a surface.
struct Task {
    surface: Surface,
    dimension: &'static Dimension,
    /// The steps that are there whatever the input.
    constant: u64,
}

impl Task {
    fn name(&self) -> String {
        format!("{:>10}  {:42}", self.surface.name(), self.dimension.name)
    }
}
