//! The whole program over one log file: from the disk to the findings.

use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Records in the file.
const RECORDS: u64 = 2_863;

fn replay(criterion: &mut Criterion) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/29-llmjacking-no-enabling-event.json.gz");
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("file", |bench| {
        bench.iter(|| {
            Command::new(env!("CARGO_BIN_EXE_tripmeter"))
                .args(["replay", "--format", "json", "--summary", "none"])
                .arg(&file)
                .stdout(Stdio::null())
                .status()
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
