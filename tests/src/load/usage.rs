//! The resource usage of a program, from Linux's procfs.

use std::fs;
use std::time::Duration;

/// The kernel's unit of CPU time on every architecture.
const TICKS_A_SECOND: u64 = 100;

/// The time a process and those it started have spent, in user and in system, to 10 ms each.
pub fn cpu(id: u32) -> Duration {
    let ticks = |member: u32| {
        let fields = stat(member)?;
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let ticks: u64 = members(id).into_iter().filter_map(ticks).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND)
}

/// The memory of a process and its children, in bytes, without the kernel's memory for sockets.
pub fn rss(id: u32) -> u64 {
    members(id).into_iter().filter_map(|member| status(member, "VmRSS:")).sum::<u64>() << 10
}

/// The same for a single process, which is cheaper to read.
pub fn resident(id: u32) -> u64 {
    status(id, "VmRSS:").unwrap_or_default() << 10
}

/// How many files and sockets a process has open.
pub fn descriptors(id: u32) -> usize {
    fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count)
}

/// A process and its descendants.
fn members(id: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |other: u32| Some((other, stat(other)?.get(1)?.parse().ok()?));
    let parents: Vec<(u32, u32)> = all.filter_map(parent).collect();
    let mut members = vec![id];
    let mut next = 0;
    while let Some(member) = members.get(next).copied() {
        members.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(other, _)| *other));
        next += 1;
    }
    members
}

/// The fields after the program's name, which may contain any character: state, parent, and so on.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

fn status(id: u32, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
