//! Threads that judge: rules are all work and no waiting, so what takes its time runs apart from the threads that talk.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Objects may be nested deeply, and a thread that runs out of stack takes the whole process with it.
const STACK: usize = 16 * 1024 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The work panicked; with what it said.
    Panicked(String),
}

/// Threads that judge.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Pool {
    /// So many threads, which end when `stop` is called.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(super) fn start(threads: usize) -> io::Result<Pool> {
        let shared = Arc::new(Shared::default());
        for _ in 0..threads {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name("judge".into()).stack_size(STACK);
            thread.spawn(move || shared.work())?;
        }
        Ok(Pool { shared })
    }

    /// Runs work on one of the threads; work whose asker has gone away is not begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failed> {
        let (tell, told) = oneshot::channel();
        let job = move || {
            if tell.is_closed() {
                return;
            }
            let _ = tell.send(attempt(work));
        };
        self.shared.queue().jobs.push_back(Box::new(job));
        self.shared.arrived.notify_one();
        told.await.unwrap_or_else(|_| Err(Failed::Panicked("the threads that judge ended".into())))
    }

    /// Lets the threads end when nothing is left to do.
    pub(super) fn stop(&self) {
        self.shared.queue().is_closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    /// A job never runs under the lock, so nothing half done can be behind a poisoned one.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.is_closed {
                return None;
            }
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Does work on this thread; a panic ends the work and not the thread.
pub(super) fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, Failed> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|it| Failed::Panicked(said(&*it)))
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_goes_on() {
        let pool = Pool::start(1).unwrap();
        let failed = pool.run(|| panic!("of rule {}", 7)).await.map(|(): ()| ());
        assert_eq!(failed, Err(Failed::Panicked("of rule 7".into())));
        assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
        pool.stop();
    }
}
