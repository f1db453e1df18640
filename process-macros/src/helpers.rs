//! The names of the helpers, and finding the calls of them that a spawned task would lose.
//!
//! A body is raw tokens, so this can only look for what is plain to see. It rather overlooks a lost call,
//! which the runtime reports when it happens, than call a good one lost.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use syn::ext::IdentExt as _;

use crate::errors::Errors;

/// The free functions that are in scope of every body. The runtime's `helpers` module holds the same.
pub(crate) const NAMES: [&str; 15] = [
    "artifact",
    "end_process",
    "item_failed",
    "log",
    "process_start",
    "set_progress",
    "set_progress_of",
    "set_progress_text",
    "set_title",
    "shutting_down",
    "stage",
    "stage_of",
    "tally",
    "tally_of",
    "warn",
];

/// Methods that do, such as those of `JoinSet`, of `std::thread::Scope` and of thread pools.
const SPAWNING_METHODS: [&str; 6] =
    ["spawn", "spawn_blocking", "spawn_blocking_on", "spawn_local", "spawn_local_on", "spawn_on"];
const OF_METHODS: &str =
    "`progress.scope(async { … })` around a future or `progress.enter(|| …)` inside a closure";

/// Methods of rayon, whose iterators run the closures that follow in other threads.
const PARALLEL_METHODS: [&str; 6] =
    ["par_bridge", "par_chunks", "par_drain", "par_iter", "par_iter_mut", "into_par_iter"];

/// The ends of the paths of functions that run code outside the current run, where they run it, and what to use instead.
const SPAWNERS: [(&str, &str, &str); 9] = [
    ("tokio::spawn", "task", "`process_runtime::spawn`"),
    ("task::spawn", "task", "`process_runtime::spawn`"),
    ("task::spawn_local", "task", "`progress.scope(async { … })` around the future"),
    ("task::spawn_blocking", "task", "`process_runtime::spawn_blocking`"),
    ("rt::spawn", "task", "`process_runtime::spawn`"),
    ("smol::spawn", "task", "`process_runtime::spawn`"),
    ("thread::spawn", "thread", IN_CLOSURE),
    ("rayon::spawn", "thread", IN_CLOSURE),
    ("rayon::join", "thread", IN_CLOSURE),
];
const IN_CLOSURE: &str = "`progress.enter(|| …)` inside the closure";

pub(crate) fn is_helper(name: &Ident) -> bool {
    let name = name.unraw();
    NAMES.iter().any(|helper| name == helper)
}

/// Reports helper calls inside a spawned task or thread.
pub(crate) fn check_spawned(body: TokenStream, errors: &mut Errors) {
    let mut hidden = Vec::new();
    if hides_all(&body, &mut hidden) {
        return;
    }
    search(body, &hidden, errors);
}

/// Collects the helpers that the body shadows, such as with `let log = …` or `use logger::log`. Returns true if it may
/// shadow any of them.
fn hides_all(tokens: &TokenStream, hidden: &mut Vec<String>) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (index, tree) in trees.iter().enumerate() {
        let glob = is_punct(tree, '*') && index > 0 && is_punct(&trees[index - 1], ':');
        let hides = match tree {
            TokenTree::Group(group) => hides_all(&group.stream(), hidden),
            TokenTree::Ident(word) if word == "macro_rules" => true,
            TokenTree::Ident(word) if is_helper(word) => {
                let (before, after) = (index.checked_sub(1).map(|index| &trees[index]), trees.get(index + 1));
                let is_method = before.is_some_and(|before| is_punct(before, '.'));
                let is_macro = after.is_some_and(|after| is_punct(after, '!'));
                // `log::info` is a path; `log: String` declares a name.
                let is_path = after.is_some_and(|after| is_punct(after, ':'))
                    && trees.get(index + 2).is_some_and(|next| is_punct(next, ':'));
                let is_call = after.is_some_and(is_arguments)
                    && !matches!(before, Some(TokenTree::Ident(word)) if word == "fn");
                if !(is_method || is_macro || is_path || is_call) {
                    hidden.push(word.to_string());
                }
                false
            }
            _ => false,
        };
        if hides || glob {
            return true;
        }
    }
    false
}

/// Searches for spawners, and for helpers in their arguments.
fn search(tokens: TokenStream, hidden: &[String], errors: &mut Errors) {
    let mut path = String::new();
    let mut parallel = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                parallel |= path.strip_prefix('.').is_some_and(|method| PARALLEL_METHODS.contains(&method));
                let called = if parallel { Some(("thread", IN_CLOSURE)) } else { spawner(&path) };
                match called.filter(|_| group.delimiter() == Delimiter::Parenthesis) {
                    Some((what, instead)) => {
                        if let Some(helper) = lost(group.stream(), hidden) {
                            errors.push(helper.clone(), message(&helper, what, instead));
                        }
                    }
                    None => search(group.stream(), hidden, errors),
                }
                path.clear();
            }
            TokenTree::Ident(word) => {
                if !path.ends_with("::") && path != "." {
                    path.clear();
                }
                path.push_str(&word.to_string());
            }
            TokenTree::Punct(colon) if colon.as_char() == ':' => path.push(':'),
            TokenTree::Punct(dot) if dot.as_char() == '.' => ".".clone_into(&mut path),
            other => {
                parallel &= !is_punct(&other, ';');
                path.clear();
            }
        }
    }
}

/// What the function or method at this path spawns, and what to use instead; `None` for any other.
fn spawner(path: &str) -> Option<(&'static str, &'static str)> {
    if path.strip_prefix('.').is_some_and(|method| SPAWNING_METHODS.contains(&method)) {
        return Some(("task or thread", OF_METHODS));
    }
    // With `use tokio::task`, only the end of the path is there.
    let is_named = |name: &str| {
        path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with("::"))
    };
    SPAWNERS.iter().find(|(name, ..)| is_named(name)).map(|(_, what, instead)| (*what, *instead))
}

fn message(helper: &Ident, what: &str, instead: &str) -> String {
    let along = |call| format!(", or take `progress: Progress` as a parameter and call `progress.{call}`");
    let handle = match helper.to_string().as_str() {
        // The handle reports; only the helper can end the run.
        "end_process" => String::new(),
        "shutting_down" => along("is_shutting_down()".to_owned()),
        helper => along(format!("{helper}(…)")),
    };
    format!("`{helper}` does not reach the run from a spawned {what}: use {instead}{handle}")
}

/// The first helper that is called in there, outside of `progress.enter(…)`, `progress.scope(…)` and macros.
fn lost(tokens: TokenStream, hidden: &[String]) -> Option<Ident> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.iter().enumerate().find_map(|(index, tree)| {
        let before = index.checked_sub(1).map(|index| &trees[index]);
        match tree {
            TokenTree::Group(group) => {
                let carried =
                    matches!(before, Some(TokenTree::Ident(word)) if word == "enter" || word == "scope");
                let in_macro = before.is_some_and(|before| is_punct(before, '!'));
                if carried || in_macro { None } else { lost(group.stream(), hidden) }
            }
            TokenTree::Ident(word) if is_helper(word) && !hidden.contains(&word.to_string()) => {
                let free = !before.is_some_and(|before| is_punct(before, '.') || is_punct(before, ':'));
                let called = trees.get(index + 1).is_some_and(is_arguments);
                (free && called).then(|| word.clone())
            }
            _ => None,
        }
    })
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_arguments(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> bool {
        let mut errors = Errors::of_no_process();
        check_spawned(body.parse().unwrap(), &mut errors);
        !errors.is_empty()
    }

    #[test]
    fn helpers_in_spawned_tasks_are_found() {
        assert!(found("tokio::spawn(async move { for i in 0..3 { set_progress_of(i, 3); } });"));
        assert!(found("let _ = ::tokio::task::spawn_blocking(move || { log(\"x\"); 1 }).await;"));
        assert!(found("if a { std::thread::spawn(|| warn(\"x\")); }"));
        assert!(found("let mut set = JoinSet::new(); set.spawn(async move { log(\"x\") });"));
        assert!(found("std::thread::scope(|scope| { scope.spawn(|| set_progress(1)); });"));
        assert!(found("pool.clone().spawn_blocking(|| tally(\"x\")).await;"));
        assert!(found("set.spawn_blocking_on(|| log(\"x\"), &handle);"));
        assert!(found("use tokio::task; task::spawn_local(async { log(\"x\") });"));
        assert!(found("thread::spawn(|| log(\"x\"));"));
        assert!(found("rayon::join(|| log(\"x\"), || log(\"y\"));"));
        assert!(found("items.par_iter().enumerate().for_each(|(at, _)| set_progress_of(at, 3));"));
    }

    #[test]
    fn helpers_that_reach_run_are_accepted() {
        for body in [
            "set_progress(1); tokio::spawn(async { work().await }); log(\"x\");",
            "process_runtime::spawn(async { set_progress(1) });",
            "set.spawn(progress.scope(async { set_progress(1) }));",
            "let total: u32 = items.par_iter().sum(); log(\"x\");",
            "items.par_iter().for_each(|item| progress.enter(|| log(item)));",
            "tokio::join!(async { log(\"x\") }, async { log(\"y\") });",
            "futures.push(async { log(\"x\") }); my_task::spawn(async { log(\"x\") });",
            "std::thread::scope(|scope| { scope.spawn(|| progress.enter(|| log(\"x\"))); });",
            "Command::new(\"ls\").spawn(); log(\"x\");",
            "items.map(|spawn| spawn(log(\"x\")));",
            "tokio::spawn(async move { progress.set_progress(1) });",
            "std::thread::spawn(move || progress.enter(|| set_progress(1)));",
            "std::thread::spawn(move || Progress::enter(&progress, || set_progress(1)));",
            "tokio::spawn(async move { log::info(\"x\"); tracing::warn(1); log!(1); warn!(\"x\") });",
            "tokio::spawn(async move { jobs::log(1) });",
        ] {
            assert!(!found(body), "{body}");
        }
    }

    #[test]
    fn authors_own_names_are_ignored() {
        for body in [
            "fn log(_: &str) {} tokio::spawn(async { log(\"x\") });",
            "let log = |_| (); tokio::spawn(async { log(1) });",
            "use logger::{log, other}; tokio::spawn(async { log(1) });",
            "use logger::log; tokio::spawn(async { log(1) });",
            "use logger::*; tokio::spawn(async { log(1) });",
            "fn f(log: fn(u8)) { tokio::spawn(async move { log(1) }); }",
            "tokio::spawn(async move { each(|log| log(1)) });",
        ] {
            assert!(!found(body), "{body}");
        }
    }
}
