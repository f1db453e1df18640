//! The language of a page, how it is chosen, and English for programs.

use process_runtime::prelude::*;
use process_tests::Server;
use process_tests::fixtures::Traces;
use process_tests::forms::errors;
use reqwest::{RequestBuilder, Response};
use tempfile::TempDir;

/// It has a field with the name of the language parameter.
#[process(title = "Translating", group = "languages")]
async fn translates(#[field(default = "en")] lang: String) {
    log(lang);
}

/// A page, as a browser gets it.
async fn page(request: RequestBuilder) -> (Response, String) {
    let mut response = request.header("accept", "text/html").send().await.unwrap();
    let mut html = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        html.extend_from_slice(&chunk);
    }
    (response, String::from_utf8(html).unwrap())
}

/// The language of a page, by its element and its header, which say the same.
async fn language(request: RequestBuilder) -> String {
    let (response, html) = page(request).await;
    let (_, rest) = html.split_once("<html lang=\"").unwrap();
    let (tag, _) = rest.split_once('"').unwrap();
    assert_eq!(response.headers()["content-language"], tag);
    tag.to_owned()
}

async fn accepting(server: &Server, header: &str) -> String {
    language(server.get("/").header("accept-language", header)).await
}

#[tokio::test]
async fn each_language_has_its_pages() {
    let server = Server::start().await;
    for (tag, direction, processes, start) in [
        ("en", "ltr", "Processes", "Start"),
        ("es", "ltr", "Procesos", "Iniciar"),
        ("de", "ltr", "Prozesse", "Starten"),
        ("fr", "ltr", "Processus", "Démarrer"),
        ("zh", "ltr", "任务", "开始"),
        ("ar", "rtl", "العمليات", "بدء"),
    ] {
        let (response, html) = page(server.get("/").header("accept-language", tag)).await;
        assert!(html.contains(&format!("<html lang=\"{tag}\" dir=\"{direction}\">")), "{html}");
        assert!(html.contains(&format!("<h1>{processes}</h1>")), "{html}");
        assert_eq!(response.headers()["content-language"], tag);
        assert_eq!(response.headers().get("set-cookie"), None, "nobody asked to remember it");
        let (_, html) = page(server.get("/count/show_progress").header("accept-language", tag)).await;
        assert!(
            html.contains(&format!("<button class=\"primary\" type=\"submit\">{start}</button>")),
            "{html}"
        );
        assert!(html.contains("<h1 dir=\"auto\">Counting</h1>"), "a title is its author's: {html}");
    }
}

#[tokio::test]
async fn accept_language_chooses_the_language() {
    let server = Server::start().await;
    for (header, tag) in [
        ("de-AT", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.3, fr ;q=0.7, es;q=0.5", "fr"),
        ("zh-Hant-TW, en;q=0.5", "zh"),
        ("pt-BR, pt;q=0.9", "en"),
        ("pt, *;q=0.1", "en"),
        ("de;q=0, es;q=0.1", "es"),
        ("AR-eg", "ar"),
        ("", "en"),
        ("de;q=2, ;q=, =;;,,\"", "en"),
    ] {
        assert_eq!(accepting(&server, header).await, tag, "{header}");
    }
    assert_eq!(language(server.get("/")).await, "en");
}

#[tokio::test]
async fn language_query_beats_cookie_and_browser() {
    let server = Server::nested("/a/b").await;
    let (response, html) = page(server.get("/runs?lang=fr").header("accept-language", "de")).await;
    assert!(html.contains("<h1>Historique</h1>"), "{html}");
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("process-lang=fr; "), "{cookie}");
    for attribute in ["; Path=/a/b; ", "; SameSite=Lax; ", "; HttpOnly; ", "; Max-Age=31536000"] {
        assert!(cookie.contains(attribute), "{attribute} is missing in {cookie}");
    }
    let with = |path: &str, cookie: &str| {
        server.get(path).header("accept-language", "de").header("cookie", cookie.to_owned())
    };
    assert_eq!(language(with("/runs", "a=b; process-lang=fr; c=d")).await, "fr");
    assert_eq!(language(with("/runs?lang=es", "process-lang=fr")).await, "es");
    let (response, _) = page(with("/runs", "process-lang=fr")).await;
    assert_eq!(response.headers().get("set-cookie"), None);
    let at_the_root = Server::start().await;
    let (response, _) = page(at_the_root.get("/?lang=ar")).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("process-lang=ar; ") && cookie.contains("; Path=/; "), "{cookie}");
}

#[tokio::test]
async fn forged_language_is_ignored() {
    let server = Server::start().await;
    let long = "x-".repeat(3_000);
    for forged in
        ["xx", "../../en", "de%0d%0aset-cookie:%20a=b", "%00", "<script>", "", "process-lang", &long]
    {
        let (response, html) =
            page(server.get(&format!("/?lang={forged}")).header("accept-language", "de")).await;
        assert!(html.contains("<html lang=\"de\" dir=\"ltr\">"), "{forged}: {html}");
        assert_eq!(response.headers().get("set-cookie"), None, "{forged}");
    }
    for forged in
        ["process-lang=xx", "process-lang", "process-language=fr", "x=process-lang=fr", "=;;=", &long]
    {
        let request = server.get("/").header("accept-language", "de").header("cookie", forged);
        assert_eq!(language(request).await, "de", "{forged}");
    }
    assert_eq!(accepting(&server, &format!("{}fr;q=0.5", "xx-yy;q=0.9,".repeat(500))).await, "fr");
}

#[tokio::test]
async fn field_named_lang_stays_a_field() {
    let server = Server::start().await;
    let (response, html) = page(server.get("/languages/translates/show_progress?lang=fr")).await;
    assert!(html.contains("<html lang=\"en\" dir=\"ltr\">") && html.contains("value=\"fr\""), "{html}");
    assert_eq!(response.headers().get("set-cookie"), None);
}

#[tokio::test]
async fn errors_are_translated_on_pages_only() {
    let server = Server::start().await;
    let german = |request: RequestBuilder| request.header("accept-language", "de");
    let (response, html) = page(german(server.form("choose", &[("percent", "200")]))).await;
    assert_eq!(response.status(), 422);
    for part in [
        "<title>Fehler: Choosing</title>",
        "Es gibt ein Problem. Nichts wurde gestartet",
        "Darf höchstens 100 sein",
        "lang=\"de\"",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    let (_, html) = page(german(server.form("choose", &[("percent", "many")]))).await;
    assert!(html.contains("Geben Sie eine ganze Zahl an, nicht &quot;many&quot;"), "{html}");
    let found = errors(german(server.form("choose", &[("percent", "200")]))).await;
    assert_eq!(found, [("percent".to_owned(), "Must be 100 or less".to_owned())]);
    let (_, html) = page(german(server.form("choose", &[]))).await;
    assert!(html.contains("Dieses Feld ist erforderlich"), "{html}");
}

#[tokio::test]
async fn refusals_use_the_page_language() {
    let server = Server::start().await;
    let run = server.run("says-nothing", serde_json::json!({})).await;
    server.ended(&run).await;
    let (response, html) = page(server.post(&format!("{run}/pause?lang=de"))).await;
    assert_eq!(response.status(), 409);
    assert!(html.contains("Das ist nicht möglich: der Lauf ist schon beendet."), "{html}");
    let (response, html) = page(server.get("/nothing?lang=es")).await;
    assert_eq!(response.status(), 404);
    assert!(html.contains("<h1>No encontrado</h1>"), "{html}");
    let (_, html) = page(server.get("/runs?before=x&lang=fr")).await;
    assert!(
        html.contains("before doit être la valeur d’un lien vers des exécutions plus anciennes."),
        "{html}"
    );
    let (_, html) = page(server.get(&format!("{run}?lang=de"))).await;
    assert!(html.contains("Dauer</span>") && html.contains(" s</time>"), "{html}");
    let answer = server.get("/nothing?lang=es").send().await.unwrap();
    assert_eq!(answer.headers().get("content-language"), None);
    assert_eq!(process_tests::server::json(answer).await["detail"], "Page not found.");
}

#[tokio::test]
async fn application_adds_and_restricts_languages() {
    let portuguese = r#"{ "page.history": "Histórico", "direction": "ltr" }"#;
    let server = Server::built(TempDir::new().unwrap(), "", |builder| {
        let builder = builder.language("pt-BR", portuguese).text("en", "page.processes", "Jobs");
        builder.languages(["en", "pt-BR", "de"]).default_language("de")
    })
    .await;
    let (_, html) = page(server.get("/runs").header("accept-language", "pt")).await;
    assert!(html.contains("<html lang=\"pt-BR\" dir=\"ltr\">"), "{html}");
    assert!(html.contains("<h1>Histórico</h1>") && html.contains("Apply</button>"), "{html}");
    let (_, html) = page(server.get("/?lang=en")).await;
    assert!(html.contains("<h1>Jobs</h1>"), "{html}");
    assert_eq!(accepting(&server, "fr").await, "de", "French is not offered");
    assert_eq!(language(server.get("/?lang=fr")).await, "de");
}

#[test]
fn invalid_translation_fails_the_build() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let builder = process_runtime::builder().state(Traces::default()).data_dir(&data);
    let error = builder.text("de", "page.proceses", "Jobs").build().unwrap_err();
    let says = "the languages of the pages are invalid: \
                de: there is no text `page.proceses`: did you mean `page.processes`?";
    assert_eq!(error.to_string(), says);
    assert!(!data.exists());
}
