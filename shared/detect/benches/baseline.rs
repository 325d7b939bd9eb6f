//! What the baseline costs: per event, per write and per day.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tripmeter_detect::baseline::{Clip, DayCounts, Horizon, Measure, Params, Volume, level};
use tripmeter_detect::tails::log10_tail;

const FIRST: i32 = 20_458;

fn sixty_days(params: &Params) -> Measure {
    let mut measure = Measure::new(FIRST);
    for _ in 0..60 {
        let counts = DayCounts {
            hours: [12; 24],
            largest_ten: 4,
        };
        measure.fold(&counts, params, Clip::Usual);
    }
    measure
}

fn baseline(c: &mut Criterion) {
    let params = Params::identity();
    let measure = sixty_days(&params);
    let Some(hour) = measure.expect(measure.next_day(), 10, &params).hour else {
        return;
    };

    c.bench_function("judge a usual event", |b| {
        b.iter(|| level(Horizon::Hour, black_box(20), black_box(&hour), &params));
    });
    c.bench_function("judge an event past the gate", |b| {
        b.iter(|| level(Horizon::Hour, black_box(500), black_box(&hour), &params));
    });
    c.bench_function("tail next to the mean of a busy hour", |b| {
        b.iter(|| log10_tail(black_box(8_100), black_box(8_000.0), black_box(0.02)));
    });
    c.bench_function("expect a window", |b| {
        b.iter(|| black_box(&measure).expect(measure.next_day(), black_box(10), &params));
    });
    c.bench_function("fold a day", |b| {
        let counts = DayCounts {
            hours: [13; 24],
            largest_ten: 5,
        };
        b.iter(|| {
            let mut measure = black_box(measure);
            measure.fold(&counts, &params, Clip::Usual);
            measure
        });
    });
    c.bench_function("fold eight thousand years of silence", |b| {
        b.iter(|| {
            let mut volume = Volume::new(black_box(FIRST));
            volume.fold_through(FIRST + 2_900_000, [], &params);
            volume
        });
    });
}

criterion_group!(benches, baseline);
criterion_main!(benches);
