//! The page of one run: its breadcrumbs and its panel.

use maud::html;

use super::panel::{Heading, panel};
use super::words::window_title;
use super::{Content, RunView, Shell};
use crate::layout::PageKind;

/// The page of a run.
pub(in crate::web) fn run(shell: &Shell<'_>, shown: &RunView<'_>) -> Content {
    let RunView { process, run, rights, .. } = *shown;
    let markup = html! {
        nav.path aria-label=(shell.texts.text("page.path")) {
            @match process {
                Some(process) if !rights.process => bdi { (process.title) },
                Some(process) => a href=(shell.process(&run.process)) dir="auto" { (process.title) },
                None => bdi dir="ltr" { (run.process) },
            }
        }
        (panel(shell, Heading::Page, shown))
    };
    Content {
        has_token: shown.link.is_some(),
        kind: PageKind::Run,
        title: window_title(shell.texts, run),
        markup,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::super::LogTail;
    use super::*;
    use crate::branding::Brand;
    use crate::log_reader::entries;
    use crate::run::{Level, LogLine, Run, RunFile, RunStatus};
    use crate::texts::Texts;
    use crate::web::request::rights::Rights;

    const HOSTILE: &str = "<img src=x onerror=alert(1)>";

    fn shown(run: &Run, lines: Vec<LogLine>) -> String {
        let last = lines.last().map_or(0, |line| line.seq);
        let earlier = lines.first().map_or(0, |line| line.seq - 1);
        let entries = entries(earlier, lines);
        let (brand, texts) = (Brand::default(), Texts::english());
        let shell = Shell {
            base: "/a/b",
            css: "x.css",
            js: "x.js",
            watching: "z.js",
            starting: "y.js",
            logo: None,
            brand: &brand,
            texts,
        };
        let content = super::run(
            &shell,
            &RunView {
                process: None,
                run,
                log: &LogTail { earlier, entries, last },
                earlier: None,
                rights: Rights::ALL,
                link: None,
            },
        );
        super::super::frame(&shell, &content).into_string()
    }

    fn line(seq: u64, level: Level) -> LogLine {
        LogLine {
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            level,
            text: format!("line {seq}"),
            styles: Vec::new(),
        }
    }

    #[test]
    fn live_run_renders_without_javascript() {
        let mut run = Run::queued("a", "Import", Map::new());
        run.status = RunStatus::Running;
        run.progress.percent = Some(42.4);
        run.progress.current = Some(4_240);
        run.progress.total = Some(10_000);
        let html = shown(&run, vec![line(3, Level::Info), line(4, Level::Warn), line(9, Level::Info)]);
        let address = format!("/a/b/runs/{}", run.id);
        for part in [
            "<title>42 % · Import</title>",
            ">Running</span>",
            "value=\"42.40\"",
            "4,240 of 10,000",
            "2 earlier lines",
            "4 lines omitted",
            "<b>Warning</b> <span dir=\"auto\">line 4</span>",
            &format!("method=\"post\" action=\"{address}/cancel\""),
            &format!("<process-progress src=\"{address}\" log snapshot=\"{{"),
            "<noscript>",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains("style="));
    }

    #[test]
    fn earlier_omitted_lines_are_counted() {
        let mut run = Run::queued("a", "Import", Map::new());
        run.progress.omitted_lines = 80_649;
        let html = shown(&run, vec![line(99_501, Level::Info), line(99_600, Level::Warn)]);
        // 98 omitted lines lie between the two.
        let earlier = "/log\">18,949 earlier lines</a> · 80,551 lines omitted</li>";
        assert!(html.contains(earlier), "{html}");
        assert!(html.contains("data-omitted=\"98\">98 lines omitted"), "{html}");
        run.progress.omitted_lines = 5;
        let html = shown(&run, vec![line(6, Level::Info)]);
        assert!(html.contains("<li class=\"gap\" data-earlier>5 lines omitted</li>"), "{html}");
    }

    #[test]
    fn finished_run_shows_escaped_text() {
        let mut run = Run::queued("a", HOSTILE, Map::from_iter([("key".to_owned(), json!(HOSTILE))]));
        run.status = RunStatus::Failed;
        run.error = Some(format!("{HOSTILE}\nsecond line"));
        run.result = Some(json!({ HOSTILE: HOSTILE }));
        run.progress.text = HOSTILE.to_owned();
        run.files.push(RunFile {
            name: "a b/ü\".zip".into(),
            size: 1_500,
            media_type: "application/zip".into(),
            stored: "1".into(),
        });
        let html = shown(&run, Vec::new());
        assert!(!html.contains("<img"));
        assert!(html.contains("/files/a%20b%2F%C3%BC%22.zip") && html.contains("1.5 kB"));
        assert!(!html.contains("/cancel"));
        assert!(html.contains("<title>Failed · "));
    }
}
