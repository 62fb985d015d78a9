//! An append-only file of JSON lines, written by one thread in batches.
//!
//! Whoever appends may wait until the line has reached the operating system: it then survives `kill -9` of this
//! process. It is not fsynced, so it need not survive a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::error::StartError;

/// Lines gathered into one write at most.
const BATCH_BYTES: usize = 4 << 20;

enum Order {
    Line(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

/// The writing end. Order of appends is order in the file.
#[derive(Debug)]
pub(crate) struct Journal {
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<thread::JoinHandle<()>>,
}

/// Resolves once everything appended before it is written.
pub(crate) type Written = oneshot::Receiver<()>;

impl Journal {
    /// Hands every record of the file to `fold`. A last line cut off by a crash is ignored.
    pub(crate) fn replay<R: DeserializeOwned>(path: &Path, mut fold: impl FnMut(R)) -> Result<(), StartError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(StartError::State { path: path.to_owned(), source }),
        };
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            number += 1;
            reader.read_until(b'\n', &mut line).map_err(StartError::state(path))?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                return Ok(());
            }
            let record = serde_json::from_slice(&line).map_err(|error| StartError::Journal {
                path: path.to_owned(),
                line: number,
                reason: error.to_string(),
            })?;
            fold(record);
        }
    }

    /// Replaces the file by these records (the folded state) and opens it for appending.
    pub(crate) fn rewrite<R: Serialize>(path: &Path, records: impl Iterator<Item = R>) -> Result<Self, StartError> {
        let temporary = path.with_extension("compacting");
        let write = || -> io::Result<()> {
            let mut file = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
            for record in records {
                serde_json::to_writer(&mut file, &record)?;
                file.write_all(b"\n")?;
            }
            file.flush()?;
            fs::rename(&temporary, path)
        };
        write().map_err(StartError::state(path))?;
        let mut file = OpenOptions::new().append(true).open(path).map_err(StartError::state(path))?;
        file.seek(io::SeekFrom::End(0)).map_err(StartError::state(path))?;
        let (orders, inbox) = mpsc::channel();
        let owned = path.to_owned();
        let writer = thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_batches(&mut file, &inbox, &owned))
            .map_err(StartError::state(path))?;
        Ok(Self { orders: Some(orders), writer: Some(writer) })
    }

    /// Queues a record; call it under the lock that orders the change it tells of.
    pub(crate) fn append<R: Serialize>(&self, record: &R) {
        let mut line = serde_json::to_vec(record).expect("journal records hold text keys only, which JSON can always express");
        line.push(b'\n');
        self.send(Order::Line(line));
    }

    /// Resolves when all records appended so far are written.
    pub(crate) fn flush(&self) -> Written {
        let (sender, written) = oneshot::channel();
        self.send(Order::Flush(sender));
        written
    }

    fn send(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends early only after it has said on the log that the disk refuses writes.
            let _ = orders.send(order);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the journal's writer panicked");
        }
    }
}

fn write_batches(file: &mut File, inbox: &mpsc::Receiver<Order>, path: &Path) {
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    while let Ok(first) = inbox.recv() {
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Line(line) => batch.extend_from_slice(&line),
                Order::Flush(sender) => waiting.push(sender),
            }
            next = if batch.len() < BATCH_BYTES { inbox.try_recv().ok() } else { None };
        }
        if let Err(error) = file.write_all(&batch) {
            // Dropping the senders tells every waiter that its change is not safe.
            tracing::error!(path = %path.display(), %error, "journal cannot be written; changes are refused from now on");
            return;
        }
        batch.clear();
        for sender in waiting.drain(..) {
            let _ = sender.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Vec<u32> {
        let mut seen = Vec::new();
        Journal::replay(path, |record: u32| seen.push(record)).unwrap();
        seen
    }

    #[tokio::test]
    async fn keeps_order_and_ignores_a_torn_last_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let journal = Journal::rewrite(&path, [1, 2].iter()).unwrap();
        for n in 3..1000 {
            journal.append(&n);
        }
        journal.flush().await.unwrap();
        assert_eq!(read(&path), (1..1000).collect::<Vec<_>>());
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"77").unwrap();
        assert_eq!(read(&path).last(), Some(&999));
    }

    #[test]
    fn a_broken_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        fs::write(&path, "1\nx\n").unwrap();
        let error = Journal::replay(&path, |_: u32| {}).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
