//! A `tracing` layer that writes events into the log of the run in which they happen.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::progress::Progress;
use crate::run::Level;

/// Creates a layer that writes every event inside a run into the log of that run.
///
/// A log line consists of the event's message, followed by its other fields as `name=value`. TRACE and DEBUG become
/// [`Level::Debug`]. By default, the layer takes [`Level::Info`] and above. It ignores events outside a run and
/// events of this crate, and leaves them to other layers.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(process_runtime::layer())
///     .init();
///
/// # let progress = process_runtime::Progress::detached();
/// # progress.enter(|| {
/// // In a process, or in a function it calls:
/// tracing::warn!(line = 17, "no e-mail address");
/// # });
/// ```
///
/// The layer does not disable any event for other layers. For that reason, `tracing` also constructs events that no
/// layer wants. To avoid that cost, add a filter for all layers, such as `.with(LevelFilter::INFO)`.
pub fn layer() -> RunLayer {
    RunLayer { max_level: Level::Info }
}

/// The layer that [`layer`] returns.
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct RunLayer {
    max_level: Level,
}

impl RunLayer {
    /// Sets the least serious level that the layer takes. Default: [`Level::Info`].
    ///
    /// ```
    /// use process_runtime::run::Level;
    ///
    /// let layer = process_runtime::layer().with_max_level(Level::Warn);
    /// # let _ = layer;
    /// ```
    pub fn with_max_level(mut self, level: Level) -> Self {
        self.max_level = level;
        self
    }
}

impl<S: Subscriber> Layer<S> for RunLayer {
    // Filtered here and not in `enabled`, because the result of `enabled` would apply to all layers.
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let level = level_of(*metadata.level());
        if level < self.max_level || is_ours(metadata.target()) {
            return;
        }
        let Some(progress) = Progress::current() else { return };
        let mut line = Line::default();
        event.record(&mut line);
        // Does not unwind in a stopped run: code that emits an event does not expect that.
        progress.line(level, line.text());
    }
}

fn level_of(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

/// Events of this crate are for the operator. An event about a log would also feed the log with itself.
fn is_ours(target: &str) -> bool {
    target.strip_prefix("process_runtime").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The text of an event.
#[derive(Default)]
struct Line {
    message: String,
    /// Each field with a space before it.
    fields: String,
}

impl Line {
    fn text(self) -> String {
        if self.message.is_empty() {
            self.fields.trim_start().to_owned()
        } else {
            self.message + &self.fields
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Only the value's own `Debug` can fail; its output so far is kept.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            // Source locations from a bridge of the crate `log`.
            name if name.starts_with("log.") => Ok(()),
            name => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                write!(self.fields, " {name}={value:?}")
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::prelude::*;

    use super::*;
    use crate::progress::{Interruption, Stop};
    use crate::run::LogLine;

    fn heard(layer: RunLayer, progress: &Progress, body: impl FnOnce()) -> Vec<(Level, String)> {
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || progress.enter(body));
        let said = |line: LogLine| (line.level, line.text);
        progress.read().lines.into_iter().map(said).collect()
    }

    #[test]
    fn event_becomes_message_and_fields() {
        let lines = heard(layer().with_max_level(Level::Debug), &Progress::detached(), || {
            let error = std::io::Error::other("disk full");
            tracing::info!(target: "shop", line = 17, name = "Ada B.", path = %"a b", "no {} address", "e-mail");
            tracing::warn!(target: "shop", r#type = ?Some(1), flag = true);
            tracing::error!(target: "shop", error = &error as &dyn std::error::Error, "not stored");
            tracing::debug!(target: "shop", ratio = 0.5, "close");
            tracing::trace!(target: "shop", "closer");
        });
        let expected = [
            (Level::Info, "no e-mail address line=17 name=\"Ada B.\" path=a b"),
            (Level::Warn, "type=Some(1) flag=true"),
            (Level::Error, "not stored error=disk full"),
            (Level::Debug, "close ratio=0.5"),
            (Level::Debug, "closer"),
        ];
        assert_eq!(lines, expected.map(|(level, text)| (level, text.to_owned())));
    }

    #[test]
    fn layer_filters_level_and_own_events() {
        let body = || {
            tracing::debug!(target: "shop", "debug");
            tracing::info!(target: "shop", "info");
            tracing::warn!(target: "process_runtime_shop", "warn");
            tracing::error!(target: "process_runtime", "ours");
            tracing::error!(target: "process_runtime::store", "ours too");
        };
        let texts = |layer: RunLayer| {
            heard(layer, &Progress::detached(), body).into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(layer()), ["info", "warn"]);
        assert_eq!(texts(layer().with_max_level(Level::Warn)), ["warn"]);
        assert_eq!(texts(layer().with_max_level(Level::Error)), [""; 0]);
    }

    #[test]
    fn event_is_truncated_and_never_unwinds() {
        let stopped = Progress::detached();
        stopped.stop(Stop::Cancelled);
        let lines = heard(layer(), &stopped, || tracing::info!(target: "shop", "{}", "x".repeat(100_000)));
        assert!(lines[0].1.len() < 17_000 && lines[0].1.ends_with("[cut: 100000 bytes in all]"));
        let killed = Progress::detached();
        killed.watch(Some((1, Interruption::Killed)));
        heard(layer(), &killed, || tracing::info!(target: "shop", "the last thing that is heard"));
        assert_eq!((killed.recorded().lines.len(), killed.stop_reason()), (1, Some(Stop::LeaseLost)));
    }
}
