//! Records all `tracing` events and spans of this program.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{LazyLock, Mutex};

use process_tests::conformance::until;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// The fields of an event or a span, as they were written.
pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) target: String,
    pub(crate) level: Level,
    pub(crate) fields: Fields,
}

#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) target: String,
    pub(crate) fields: Fields,
    /// The surrounding spans, from the outermost on.
    pub(crate) within: Vec<Span>,
}

impl Said {
    pub(crate) fn message(&self) -> &str {
        self.fields.get("message").map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Heard {
    said: Vec<Said>,
    closed: Vec<Span>,
}

static HEARD: LazyLock<Mutex<Heard>> = LazyLock::new(|| {
    tracing_subscriber::registry().with(Ear).init();
    Mutex::default()
});

/// Installs the recorder, unless it is installed.
pub(crate) fn listen() {
    LazyLock::force(&HEARD);
}

pub(crate) fn said() -> Vec<Said> {
    HEARD.lock().unwrap().said.clone()
}

/// The spans of this name that are over.
pub(crate) fn closed(name: &str) -> Vec<Span> {
    HEARD.lock().unwrap().closed.iter().filter(|span| span.name == name).cloned().collect()
}

/// The spans that match, once there are enough: a span closes a moment after its work.
pub(crate) async fn closed_by_now(name: &str, least: usize, fits: impl Fn(&Span) -> bool) -> Vec<Span> {
    let found = || {
        let spans: Vec<_> = closed(name).into_iter().filter(&fits).collect();
        (spans.len() >= least).then_some(spans)
    };
    until(&format!("{least} spans {name:?} that fit are over"), || std::future::ready(found())).await
}

struct Ear;

struct Words<'a>(&'a mut Fields);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Ear {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Words(&mut fields));
        let metadata = attributes.metadata();
        let (name, target, level) = (metadata.name(), metadata.target().to_owned(), *metadata.level());
        context.span(id).unwrap().extensions_mut().insert(Span { name, target, level, fields });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        values.record(&mut Words(&mut extensions.get_mut::<Span>().unwrap().fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Words(&mut fields));
        let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let within = spans.filter_map(|span| span.extensions().get::<Span>().cloned()).collect();
        let target = event.metadata().target().to_owned();
        HEARD.lock().unwrap().said.push(Said { target, fields, within });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap().extensions().get::<Span>().cloned();
        HEARD.lock().unwrap().closed.extend(span);
    }
}
