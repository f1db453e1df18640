//! How figures are shown: medians of the rounds, and how they compare to the floor.

use std::fmt;

/// A figure of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) digits: usize,
}

pub(crate) fn figure(name: &'static str, value: f64, digits: usize) -> Figure {
    Figure { name, value, digits }
}

/// The figures of each system, of all rounds.
pub(crate) struct Table {
    title: String,
    rows: Vec<(&'static str, Vec<Vec<Figure>>)>,
}

impl Table {
    pub(crate) fn new(title: String) -> Self {
        Self { title, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, system: &'static str, figures: Vec<Figure>) {
        match self.rows.iter_mut().find(|(name, _)| *name == system) {
            Some((_, rounds)) => rounds.push(figures),
            None => self.rows.push((system, vec![figures])),
        }
    }

    /// The figures of a row that stand for its rounds.
    fn medians(rounds: &[Vec<Figure>]) -> Vec<Figure> {
        let median = |index: usize| {
            let mut values: Vec<f64> =
                rounds.iter().filter_map(|round| Some(round.get(index)?.value)).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let first = rounds.first().map(Vec::as_slice).unwrap_or_default();
        first.iter().enumerate().map(|(index, figure)| Figure { value: median(index), ..*figure }).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        let Some((_, first)) = self.rows.first() else { return write!(f, "\n  nothing measured") };
        let floor = Self::medians(first);
        write!(f, "\n  {:<16}", "")?;
        for (index, figure) in floor.iter().enumerate() {
            write!(f, "{:>16}", figure.name)?;
            if index == 0 {
                write!(f, "{:>8}", "ratio")?;
            }
        }
        for (system, rounds) in &self.rows {
            write!(f, "\n  {system:<16}")?;
            for (index, Figure { value, digits, .. }) in Self::medians(rounds).into_iter().enumerate() {
                write!(f, "{value:>16.digits$}")?;
                if index == 0 {
                    match value / floor[0].value {
                        ratio if ratio.is_finite() => write!(f, "{ratio:>8.2}")?,
                        // Too short for the kernel's clock.
                        _ => write!(f, "{:>8}", "?")?,
                    }
                }
            }
        }
        Ok(())
    }
}
