//! Records the program's resource usage, and stops it before it uses all memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use process_tests::load::resident;

use super::field::Field;
use super::ground::sizes;

pub(super) const MIB: u64 = 1 << 20;
/// The sampling interval.
const EVERY: Duration = Duration::from_millis(100);
/// A program or store that grows by more is ended, because the machine is shared.
const TOO_MUCH: u64 = 1_536 * MIB;
const TOO_LARGE: u64 = 8_192 * MIB;

/// One sample.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Point {
    pub(super) at: Duration,
    pub(super) resident: u64,
    pub(super) file: u64,
    pub(super) ahead: u64,
}

/// Samples the program on a separate thread.
pub(super) struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Point>>,
}

impl Watch {
    pub(super) fn begin(field: &Arc<Field>, program: u32, data: &Path) -> Self {
        let (field, data, over) = (Arc::clone(field), data.to_owned(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&over);
        let thread = std::thread::spawn(move || watch(&field, program, &data, &told));
        Self { over, thread }
    }

    pub(super) fn end(self) -> Vec<Point> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn watch(field: &Field, program: u32, data: &Path, over: &AtomicBool) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let (file, ahead) = sizes(data);
        let point = Point { at: field.now(), resident: resident(program), file, ahead };
        points.push(point);
        let before = points[0];
        if point.resident > before.resident + TOO_MUCH || file + ahead > TOO_LARGE {
            let grown = point.resident.saturating_sub(before.resident) / MIB;
            let (file, at) = ((file + ahead) / MIB, point.at);
            let why = format!("after {at:.1?}: grown by {grown} MiB of memory, {file} MiB of store");
            field.over.send_replace(Some(why));
            let _ = std::process::Command::new("kill").args(["-KILL", &program.to_string()]).status();
            break;
        }
        std::thread::sleep(EVERY);
    }
    points
}

/// The size of the store's file over time, in this many lines.
pub(super) fn course(points: &[Point], lines: usize) -> String {
    let step = points.len().div_ceil(lines).max(1);
    let row = |point: &Point| {
        let Point { at, resident, file, ahead } = *point;
        let [resident, file, ahead] = [resident, file, ahead].map(|bytes| bytes as f64 / MIB as f64);
        format!("{:>7.1} s {resident:>9.1} {file:>9.1} {ahead:>9.1}\n", at.as_secs_f64())
    };
    let rows: String = points.iter().step_by(step).chain(points.last()).map(row).collect();
    format!("   time      memory      file     ahead  (MiB)\n{rows}")
}
