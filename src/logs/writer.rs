//! Log lines on their way out: a bounded queue, and a thread that empties it.
//!
//! A reader of standard error that stalls (a full pipe, a stopped terminal, a log driver that hangs) must not stop
//! the agent. So whoever logs only puts a line into the queue; what finds no room is dropped and counted, and the
//! count is written where the lines are missing.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::Duration;

/// The most octets of a line; ours have a few hundred. One that is longer is left out, and said to be.
pub const LINE_OCTETS_MAX: usize = 16 << 10;
/// How many lines may wait. At a few hundred octets a line this is some hundred kilobytes.
const LINES_WAITING_MAX: usize = 1_024;
/// How long the end of the process waits for the last lines to be written.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// How many lines found no room since the process began, those that were told of too.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines found no room since the process began.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

enum Message {
    Line(Vec<u8>),
    /// All that came before is written by then; answered on this channel.
    Flush(mpsc::Sender<()>),
}

/// What is said instead of lines that are not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// So many found no room.
    pub(super) dropped: fn(usize) -> String,
    /// One was too long.
    pub(super) too_long: fn() -> String,
}

/// Where lines are put.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicUsize>,
    too_long: fn() -> String,
}

/// The thread that writes them.
#[derive(Debug)]
pub(super) struct Thread(Queue);

/// Starts writing to `output`.
pub(super) fn start(output: impl Write + Send + 'static, words: Words) -> (Queue, Thread) {
    let (lines, waiting) = mpsc::sync_channel(LINES_WAITING_MAX);
    let queue = Queue { lines, dropped: Arc::default(), too_long: words.too_long };
    let dropped = queue.dropped.clone();
    // Where there is no thread to be had, every line is counted as dropped, and the agent goes on.
    let write = move || write(output, &waiting, &dropped, words.dropped);
    let _ = thread::Builder::new().name("log".to_owned()).spawn(write);
    (queue.clone(), Thread(queue))
}

fn write(
    mut output: impl Write,
    waiting: &Receiver<Message>,
    dropped: &AtomicUsize,
    said: fn(usize) -> String,
) {
    // Nobody is left to be told that nobody reads: what cannot be written is gone.
    let mut put = |text: &[u8]| drop(output.write_all(text));
    loop {
        let message = match waiting.try_recv() {
            Ok(message) => message,
            // What was dropped came after all that had found room.
            Err(TryRecvError::Empty) => {
                let missing = dropped.swap(0, Ordering::Relaxed);
                if missing > 0 {
                    put(said(missing).as_bytes());
                }
                let Ok(message) = waiting.recv() else { return };
                message
            }
            Err(TryRecvError::Disconnected) => return,
        };
        match message {
            Message::Line(line) => put(&line),
            Message::Flush(done) => {
                let missing = dropped.swap(0, Ordering::Relaxed);
                if missing > 0 {
                    put(said(missing).as_bytes());
                }
                let _ = done.send(());
            }
        }
    }
}

impl Queue {
    /// A line to be written to; it is put into the queue when it is dropped.
    pub(super) fn line(&self) -> Line {
        Line { text: Vec::new(), queue: self.clone() }
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    text: Vec<u8>,
    queue: Queue,
}

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // One more tells one that is too long.
        let room = (LINE_OCTETS_MAX + 1).saturating_sub(self.text.len());
        self.text.extend_from_slice(&text[..text.len().min(room)]);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = std::mem::take(&mut self.text);
        let is_too_long = text.len() > LINE_OCTETS_MAX;
        let line = Message::Line(if is_too_long { (self.queue.too_long)().into_bytes() } else { text });
        if self.queue.lines.try_send(line).is_err() {
            self.queue.dropped.fetch_add(1, Ordering::Relaxed);
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let (done, flushed) = mpsc::channel();
        // A full queue has a reader that stalls: its lines are lost with it, after the wait.
        let mut flush = Message::Flush(done);
        for _ in 0..10 {
            match self.0.lines.try_send(flush) {
                Err(TrySendError::Full(again)) => {
                    flush = again;
                    thread::sleep(FLUSH_WAIT / 10);
                }
                Ok(()) | Err(TrySendError::Disconnected(_)) => break,
            }
        }
        let _ = flushed.recv_timeout(FLUSH_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Writes nothing until it is let go.
    struct Stalled {
        go: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            // An error is a gate that stays open.
            let _ = self.go.recv();
            self.written.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const WORDS: Words =
        Words { dropped: |lines| format!("{lines} dropped\n"), too_long: || "too long\n".to_owned() };

    fn log(queue: &Queue, text: &str) {
        queue.line().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_stalled_reader_stops_nobody_and_is_told_what_it_missed() {
        let (go, gate) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (queue, thread) = start(Stalled { go: gate, written: written.clone() }, WORDS);
        // This returns, though nothing is read.
        (0..LINES_WAITING_MAX * 3).for_each(|n| log(&queue, &format!("line {n}\n")));
        drop(go);
        drop(thread);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let kept = lines.iter().filter(|line| line.starts_with("line ")).count();
        let dropped: usize =
            lines.iter().filter_map(|line| line.strip_suffix(" dropped")?.parse::<usize>().ok()).sum();
        assert_eq!(kept + dropped, LINES_WAITING_MAX * 3);
        assert!((LINES_WAITING_MAX..=LINES_WAITING_MAX + 1).contains(&kept), "{kept}");
        assert_eq!(lines[0], "line 0");
        assert_eq!(super::dropped(), dropped as u64);
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_is_not() {
        let (go, gate) = mpsc::channel();
        drop(go);
        let written = Arc::new(Mutex::new(Vec::new()));
        let (queue, thread) = start(Stalled { go: gate, written: written.clone() }, WORDS);
        let longest = format!("{}\n", "x".repeat(LINE_OCTETS_MAX - 1));
        for text in [&longest, &format!("x{longest}"), &"x".repeat(100 << 20), &longest] {
            log(&queue, text);
        }
        drop(thread);
        let expected = format!("{longest}too long\ntoo long\n{longest}");
        assert!(*written.lock().unwrap() == expected.as_bytes());
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let (go, gate) = mpsc::channel();
        drop(go);
        let written = Arc::new(Mutex::new(Vec::new()));
        let (queue, thread) = start(Stalled { go: gate, written: written.clone() }, WORDS);
        (0..100).for_each(|n| log(&queue, &format!("{n}\n")));
        drop(thread);
        assert_eq!(String::from_utf8(written.lock().unwrap().clone()).unwrap().lines().count(), 100);
    }
}
