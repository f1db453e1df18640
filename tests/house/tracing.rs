//! The operator's log: foreign text is always wrapped in `OneLine`.

use super::sources;

/// Values that need no wrapper: numbers, ids, and texts of this crate.
const PLAIN: [&str; 9] = ["running", "left", "left_out", "what", "id", "name", "helper", "caller", "action"];

/// The calls of `tracing` macros in a source, without its tests.
fn calls(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut calls = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for rest in code.split(&format!("tracing::{level}!(")).skip(1) {
            let (mut depth, mut quoted, mut escaped) = (1, false, false);
            let inside = rest.chars().take_while(|c| {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if quoted => escaped = true,
                    '"' => quoted = !quoted,
                    '(' if !quoted => depth += 1,
                    ')' if !quoted => depth -= 1,
                    _ => {}
                }
                depth > 0
            });
            calls.push(inside.collect());
        }
    }
    calls
}

/// Why a call may log unescaped text.
fn wrong(call: &str) -> Option<String> {
    let (fields, rest) = call.split_once('"')?;
    let (message, arguments) = rest.rsplit_once('"')?;
    for place in message.split('{').skip(1) {
        let name = place.split('}').next().unwrap();
        if !name.is_empty() && !name.ends_with(":?") && !PLAIN.contains(&name) {
            return Some(format!("{{{name}}} stands in the message as it is"));
        }
    }
    let mut arguments: Vec<_> = arguments.split(", ").map(str::trim).collect();
    arguments.retain(|argument| !argument.trim_matches(',').is_empty());
    let is_plain = |argument: &&str| {
        let argument = argument.trim_start_matches(',').trim();
        argument.starts_with("OneLine(")
            || argument.ends_with(".id")
            || argument.ends_with(".id()")
            || argument.ends_with(".at")
            || argument.is_empty()
    };
    let foreign = arguments.iter().find(|argument| !is_plain(argument)).map(|one| (*one).to_owned());
    let field = fields.split(',').map(str::trim).find(|field| {
        let of_ours =
            ["%run", "attempt", "panicked_at", "process = process.path", "what", "until = %shared.until"]
                .contains(field)
                || field.starts_with("run = %")
                || field.contains(" = %OneLine(");
        !field.is_empty() && !field.starts_with("target:") && !of_ours
    });
    foreign.or_else(|| field.map(str::to_owned))
}

#[test]
fn untrusted_log_text_is_one_line() {
    let mut seen = 0;
    for (path, text) in sources("process-runtime/src") {
        for call in calls(&text) {
            let wrong = wrong(&call);
            assert_eq!(wrong, None, "{}: tracing::…!({call}): put it into OneLine", path.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} calls were seen");
}

#[test]
fn untrusted_text_is_noticed() {
    for call in
        ["\"{error}\"", "\"{}\", error", "path = %path, \"gone\"", "\"{}: {}\", OneLine(a), b.display()"]
    {
        assert!(wrong(call).is_some(), "{call}");
    }
    for call in ["\"{}\", OneLine(&error)", "run = %run.id, \"gone\"", "\"{PATIENCE:?}\"", "\"{left} runs\""]
    {
        assert_eq!(wrong(call), None, "{call}");
    }
    assert_eq!(calls("tracing::warn!(\"a ) \\\" {}\", f(b));").len(), 1);
}
