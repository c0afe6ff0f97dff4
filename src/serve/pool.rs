//! Threads that judge: rules are all work and no waiting, so none of it runs on the threads that talk.
//!
//! A thread cannot be made to stop, so work that takes long gets a thread to itself: after [`SLOW`] another thread takes
//! its place, up to [`SPARE`] of them, so that what comes after it is judged as if it were not there. After [`LONG`] it
//! goes on at the lowest priority, and its thread ends with it. Of one user only so much work is slow at a time; more of
//! theirs waits for it, so it is their own requests that are late. Work that never ends keeps its thread, and as much of a
//! processor as nobody else wants, until the process ends; when no thread is left that is not lost to such work,
//! [`Pool::is_lost`] says so, health fails, and kubelet starts anew.
//!
//! Not rayon: a job that never ends would hold a thread of its pool for good, and those of `check` beside it; nor tokio's
//! `spawn_blocking`: its threads are bounded only as a whole, so the first hundred hostile reviews would take them all,
//! and a thread knows nothing of what it runs.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Objects may be nested deeply, and a thread that runs out of stack takes the whole process with it.
const STACK: usize = 16 * 1024 * 1024;

/// From when on another thread takes the place of one that is still at the same work.
pub(super) const SLOW: Duration = Duration::from_millis(25);

/// From when on work is pushed aside.
pub(super) const LONG: Duration = Duration::from_secs(1);

/// From when on a thread is lost: the API server has not waited for so long.
const LOST: Duration = Duration::from_secs(60);

/// The most threads that take the place of slow ones.
pub(super) const SPARE: usize = 8;

/// The most slow work of one user, where there are not more threads than that anyway.
const MOST_OF_ONE: usize = 2;

/// The lowest priority there is.
const LAST: i32 = 19;

type Job = Box<dyn FnOnce(&Turn<'_>) + Send>;

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The work panicked; where.
    Panicked(String),
}

/// Threads that judge.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    /// How many threads are to be there for work that is not slow.
    threads: usize,
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// How much work is slow, so that mostly nobody has to look.
    slow: AtomicUsize,
    hasher: RandomState,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that wait and that nobody has woken yet.
    idle: usize,
    seats: Vec<Arc<Seat>>,
    is_closed: bool,
}

/// A thread.
#[derive(Default)]
struct Seat {
    work: Mutex<Work>,
    /// A number for the user whose work it does; 0 for nobody's.
    user: AtomicU64,
}

#[derive(Default)]
struct Work {
    /// Its number for the system.
    thread: Option<rustix::thread::Pid>,
    /// Since when it is at the same work.
    since: Option<Instant>,
    is_slow: bool,
    is_pushed_aside: bool,
}

/// What work knows of where it runs.
pub(super) struct Turn<'p> {
    shared: &'p Shared,
    seat: &'p Seat,
}

impl Turn<'_> {
    /// Says whose work this is; false if they have too much of it going on already, and it has to wait.
    pub(super) fn is_for(&self, user: &str) -> bool {
        let user = self.shared.hasher.hash_one(user).max(1);
        self.seat.user.store(user, Ordering::Relaxed);
        if self.shared.slow.load(Ordering::Relaxed) == 0 {
            return true;
        }
        // What runs now may be slow a moment later, so all of it counts.
        let queue = self.shared.queue();
        let is_theirs = |it: &Seat| it.user.load(Ordering::Relaxed) == user;
        let running = queue.seats.iter().filter(|it| is_theirs(it) && it.work().since.is_some());
        running.count() <= self.shared.threads.max(MOST_OF_ONE)
    }
}

impl Pool {
    /// So many threads, which end when `stop` is called, and one that looks after them.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(super) fn start(threads: usize) -> io::Result<Pool> {
        let shared = Arc::new(Shared {
            threads,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            slow: AtomicUsize::new(0),
            hasher: RandomState::new(),
        });
        for _ in 0..threads {
            shared.clone().hire()?;
        }
        let overseen = shared.clone();
        std::thread::Builder::new().name("overseer".into()).spawn(move || overseen.oversee())?;
        Ok(Pool { shared })
    }

    /// Runs work on one of the threads; work whose asker has gone away is not begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn<'_>) -> T + Send + 'static,
    ) -> Result<T, Failed> {
        let (tell, told) = oneshot::channel();
        let job = move |turn: &Turn<'_>| {
            if tell.is_closed() {
                return;
            }
            let _ = tell.send(attempt(|| work(turn)));
        };
        self.shared.push(Box::new(job));
        told.await.unwrap_or_else(|_| Err(Failed::Panicked("the threads that judge ended".into())))
    }

    /// How much work is slow.
    pub(super) fn slow(&self) -> usize {
        self.shared.slow.load(Ordering::Relaxed)
    }

    /// Whether every thread is lost.
    pub(super) fn is_lost(&self) -> bool {
        if self.slow() < self.shared.threads + SPARE {
            return false;
        }
        let queue = self.shared.queue();
        queue.seats.iter().all(|it| it.work().since.is_some_and(|it| it.elapsed() > LOST))
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

    fn push(&self, job: Job) {
        let mut queue = self.queue();
        queue.jobs.push_back(job);
        // Whoever was woken for another job takes this one as well, if nobody else does.
        let is_anyone_idle = queue.idle > 0;
        queue.idle -= usize::from(is_anyone_idle);
        drop(queue);
        if is_anyone_idle {
            self.arrived.notify_one();
        }
    }

    /// Another thread.
    fn hire(self: Arc<Shared>) -> io::Result<()> {
        let seat = Arc::new(Seat::default());
        self.queue().seats.push(seat.clone());
        let (shared, own) = (self.clone(), seat.clone());
        let thread = std::thread::Builder::new().name("judge".into()).stack_size(STACK);
        let hired = thread.spawn(move || shared.work(&own));
        hired.map(|_| ()).inspect_err(|_| self.leave(&seat))
    }

    fn leave(&self, seat: &Arc<Seat>) {
        self.queue().seats.retain(|it| !Arc::ptr_eq(it, seat));
    }

    fn work(&self, seat: &Arc<Seat>) {
        seat.work().thread = Some(rustix::thread::gettid());
        while let Some(job) = self.next(seat) {
            job(&Turn { shared: self, seat });
        }
        self.leave(seat);
    }

    /// The next job; none if the thread is not needed any more.
    fn next(&self, seat: &Seat) -> Option<Job> {
        let was_slow = seat.rest();
        let mut queue = self.queue();
        if was_slow {
            self.slow.fetch_sub(1, Ordering::Relaxed);
            // Another one has its place, and will have its priority.
            return None;
        }
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                seat.work().since = Some(Instant::now());
                return Some(job);
            }
            if queue.is_closed {
                return None;
            }
            queue.idle += 1;
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts others in the place of those that are slow, until the threads are to end.
    fn oversee(self: Arc<Shared>) {
        loop {
            std::thread::sleep(SLOW);
            let queue = self.queue();
            if queue.is_closed {
                return;
            }
            queue.seats.iter().for_each(|it| self.look_at(it));
            let (all, slow) = (queue.seats.len(), self.slow.load(Ordering::Relaxed));
            drop(queue);
            let wanted = (self.threads + slow).min(self.threads + SPARE);
            for _ in all..wanted {
                if let Err(why) = self.clone().hire() {
                    tracing::error!(%why, "no thread to judge on");
                }
            }
        }
    }

    fn look_at(&self, seat: &Seat) {
        let mut work = seat.work();
        let age = work.since.map_or(Duration::ZERO, |it| it.elapsed());
        if age >= SLOW && !work.is_slow {
            work.is_slow = true;
            self.slow.fetch_add(1, Ordering::Relaxed);
        }
        if age >= LONG && !work.is_pushed_aside {
            work.is_pushed_aside = true;
            // Where it is not allowed, it goes on as it was.
            let _ = rustix::process::setpriority_process(work.thread, LAST);
        }
    }
}

impl Seat {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Work is done; whether it was slow.
    fn rest(&self) -> bool {
        self.user.store(0, Ordering::Relaxed);
        let mut work = self.work();
        work.since = None;
        std::mem::take(&mut work.is_slow)
    }
}

/// Does work on this thread; a panic ends the work and not the thread. What a panic says may quote what an object
/// holds, so only its place is told (see [`super::logs`]).
fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, Failed> {
    let done = super::logs::catching(|| catch_unwind(AssertUnwindSafe(work)));
    done.map_err(|_| Failed::Panicked(super::logs::last_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_goes_on() {
        let pool = Pool::start(1).unwrap();
        let failed = pool.run(|_| panic!("of rule {}", 7)).await.map(|(): ()| ());
        let Err(Failed::Panicked(place)) = failed else { panic!("{failed:?}") };
        assert!(place.contains("pool.rs:"), "{place}");
        assert_eq!(pool.run(|_| 6 * 7).await, Ok(42));
        pool.stop();
    }

    /// Work that goes on until it is told to end.
    fn endless(
        pool: &Pool,
        user: &'static str,
    ) -> (Arc<std::sync::atomic::AtomicBool>, impl Future + use<>) {
        let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (pool, seen) = (pool.clone(), is_over.clone());
        let run = async move {
            let work = move |turn: &Turn<'_>| {
                let is_taken = turn.is_for(user);
                while is_taken && !seen.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
                is_taken
            };
            pool.run(work).await
        };
        (is_over, run)
    }

    #[tokio::test]
    async fn what_comes_after_work_without_end_is_done_as_ever() {
        let pool = Pool::start(1).unwrap();
        let mut ends = Vec::new();
        let mut hostile = Vec::new();
        for _ in 0..4 {
            let (end, run) = endless(&pool, "mallory");
            ends.push(end);
            hostile.push(tokio::spawn(async move { drop(run.await) }));
            // Each is slow before the next one comes.
            let slow = ends.len().min(MOST_OF_ONE);
            while pool.slow() < slow {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let since = Instant::now();
            assert_eq!(pool.run(|turn| turn.is_for("alice")).await, Ok(true));
            assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        }
        assert_eq!(pool.run(|turn| turn.is_for("mallory")).await, Ok(false), "enough of theirs");
        assert_eq!(pool.slow(), MOST_OF_ONE);
        assert!(!pool.is_lost());
        ends.iter().for_each(|it| it.store(true, Ordering::Relaxed));
        for it in hostile {
            it.await.unwrap();
        }
        while pool.slow() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(pool.run(|turn| turn.is_for("mallory")).await, Ok(true));
        pool.stop();
    }
}
