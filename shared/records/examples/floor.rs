//! The least that reading a corpus costs: gunzip alone, or gunzip and parsing, of every file, on all cores.
//!
//! `floor [--gunzip] PATH...`; the replay bench sets its own times beside these.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

use libdeflater::Decompressor;
use tripmeter_records::{Item, Limits, Reader};

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    records: AtomicU64,
    skipped: AtomicU64,
}

fn main() -> io::Result<()> {
    let mut gunzip_only = false;
    let mut paths = Vec::new();
    for argument in std::env::args_os().skip(1) {
        if argument == "--gunzip" {
            gunzip_only = true;
        } else {
            collect(argument.into(), &mut paths)?;
        }
    }
    let counts = Counts::default();
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism()?;
    thread::scope(|scope| {
        let work: Vec<_> = (0..workers.get())
            .map(|_| {
                scope.spawn(|| {
                    if gunzip_only {
                        gunzip(&paths, &next, &counts)
                    } else {
                        parse(&paths, &next, &counts)
                    }
                })
            })
            .collect();
        work.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a worker failed")))
        })
    })?;
    println!(
        "files {} bytes {} records {} skipped {}",
        paths.len(),
        counts.bytes.into_inner(),
        counts.records.into_inner(),
        counts.skipped.into_inner()
    );
    Ok(())
}

fn collect(path: PathBuf, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        fs::read_dir(path)?.try_for_each(|entry| collect(entry?.path(), paths))
    } else {
        paths.push(path);
        Ok(())
    }
}

fn gunzip(paths: &[PathBuf], next: &AtomicUsize, counts: &Counts) -> io::Result<()> {
    let mut inflater = Decompressor::new();
    let (mut file, mut text) = (Vec::new(), Vec::new());
    while let Some(path) = paths.get(next.fetch_add(1, Relaxed)) {
        file.clear();
        File::open(path)?.read_to_end(&mut file)?;
        let length = file
            .last_chunk::<4>()
            .map_or(0, |length| u32::from_le_bytes(*length) as usize);
        text.resize(length.max(text.len()), 0);
        let bytes = inflater.gzip_decompress(&file, &mut text).map_err(io::Error::other)?;
        counts.bytes.fetch_add(bytes as u64, Relaxed);
    }
    Ok(())
}

fn parse(paths: &[PathBuf], next: &AtomicUsize, counts: &Counts) -> io::Result<()> {
    let mut reader = Reader::new(Limits::default());
    while let Some(path) = paths.get(next.fetch_add(1, Relaxed)) {
        let file = File::open(path)?;
        counts.bytes.fetch_add(file.metadata()?.len(), Relaxed);
        let tally = reader.read(file, &mut |item| {
            std::hint::black_box(matches!(item, Item::Record(_)));
        });
        counts.records.fetch_add(tally.records, Relaxed);
        counts.skipped.fetch_add(tally.skipped, Relaxed);
    }
    Ok(())
}
