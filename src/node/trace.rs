//! The file of a trace: one for the whole process, which all threads write to, and none behind its end.
//!
//! It is an array in JSON, one event a line. It has a bound. Events beyond it are counted, all from one moment on, and
//! the last line says how many they were. A file that was not ended, because the process was killed, lacks that line
//! and the bracket behind it. Viewers do without.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static TRACE: Mutex<Option<Trace>> = Mutex::new(None);
static IS_OPEN: AtomicBool = AtomicBool::new(false);

struct Trace {
    file: File,
    /// Number of bytes that may still be written.
    left: usize,
    /// Number of events that were left out.
    dropped: u64,
    /// Number of threads that write.
    threads: usize,
}

fn locked() -> MutexGuard<'static, Option<Trace>> {
    TRACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether there is a trace.
pub fn is_open() -> bool {
    IS_OPEN.load(Ordering::Acquire)
}

/// Begins a trace of at most so many bytes. Returns false if there is one already.
pub fn open(path: &str, most: usize) -> io::Result<bool> {
    let mut trace = locked();
    if trace.is_some() {
        return Ok(false);
    }
    let mut file = File::create(path)?;
    file.write_all(b"[\n")?;
    *trace = Some(Trace { file, left: most, dropped: 0, threads: 0 });
    IS_OPEN.store(true, Ordering::Release);
    Ok(true)
}

/// Counts one more thread that writes.
pub fn join() {
    if let Some(trace) = locked().as_mut() {
        trace.threads += 1;
    }
}

/// Counts one less. With the last one the trace ends, at this time in microseconds.
pub fn leave(now: f64) {
    let is_last = locked().as_mut().is_some_and(|trace| {
        trace.threads = trace.threads.saturating_sub(1);
        trace.threads == 0
    });
    if is_last {
        close(now);
    }
}

/// Writes so many events, each with a comma and the end of its line. Returns false if there is no trace any more.
pub fn write(text: &str, events: u32) -> bool {
    let mut trace = locked();
    let Some(trace) = trace.as_mut() else { return false };
    let fits = text.len() <= trace.left;
    // A disk may be full.
    if fits && trace.file.write_all(text.as_bytes()).is_ok() {
        trace.left -= text.len();
    } else {
        trace.dropped += u64::from(events);
        // Nor are events after it written, though they be shorter: one may be the end of one that was left out.
        trace.left = 0;
    }
    true
}

/// Ends the trace, at this time in microseconds. Returns the number of events that were left out; none without a trace.
pub fn close(now: f64) -> Option<u64> {
    let Trace { mut file, dropped, .. } = locked().take()?;
    IS_OPEN.store(false, Ordering::Release);
    let pid = std::process::id();
    let about = format!("\"ts\":{now},\"pid\":{pid},\"tid\":0,\"args\":{{\"dropped\":{dropped}}}");
    let _ = writeln!(file, "{{\"name\":\"end of the trace\",\"ph\":\"i\",\"s\":\"g\",{about}}}\n]");
    Some(dropped)
}
