//! Name, logo and colours of an application are on every page, and invalid ones are refused at the start.

use process_runtime::Branding;
use process_tests::Server;
use process_tests::fixtures::Traces;
use process_tests::forms::page;
use tempfile::TempDir;

const LOGO: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 1\"><path d=\"M0 1 1 0l1 1z\"/></svg>";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn branded(prefix: &str, branding: Branding) -> Server {
    Server::built(TempDir::new().unwrap(), prefix, |builder| builder.branding(branding)).await
}

/// The index, as a browser gets it.
async fn index(server: &Server, prefix: &str) -> String {
    let path = if prefix.is_empty() { "/" } else { "" };
    page(server.get(path)).await.1
}

/// The address of the file that a page loads, below the mount.
fn file(html: &str, prefix: &str, extension: &str) -> String {
    let found = html.split('"').find(|part| part.contains("/assets/") && part.ends_with(extension));
    found.unwrap_or_else(|| panic!("no {extension} in {html}")).strip_prefix(prefix).unwrap().to_owned()
}

async fn style(server: &Server, prefix: &str) -> String {
    let address = file(&index(server, prefix).await, prefix, ".css");
    server.get(&address).send().await.unwrap().text().await.unwrap()
}

fn refused(branding: Branding) -> String {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let builder = process_runtime::builder().state(Traces::default()).data_dir(&data);
    let error = builder.branding(branding).build().unwrap_err().to_string();
    assert!(!data.exists());
    error.strip_prefix("the branding of the pages is invalid: ").unwrap().to_owned()
}

#[tokio::test]
async fn name_and_logo_link_home() {
    for prefix in ["", "/a/b"] {
        let look = Branding::new().title("Bits & <Bobs>").logo_svg(LOGO).home("/shop?a=1&b=2");
        let server = branded(prefix, look).await;
        let run = server.run("says-nothing", serde_json::json!({})).await;
        server.ended(&run).await;
        for path in ["/runs", "/count/show_progress", "/nothing", &run, &format!("{run}/compare")] {
            let (_, html) = page(server.get(path)).await;
            let logo = file(&html, prefix, ".svg");
            let home = format!(
                "<a class=\"home\" href=\"/shop?a=1&amp;b=2\"><img src=\"{prefix}{logo}\" alt=\"\">\
                 <bdi>Bits &amp; &lt;Bobs&gt;</bdi></a>"
            );
            assert!(html.contains(&home), "{home} is missing in {html}");
            assert!(html.contains(&format!("<link rel=\"icon\" href=\"{prefix}{logo}\">")), "{html}");
            let at = if prefix.is_empty() { "/" } else { prefix };
            assert!(html.contains(&format!("<a href=\"{at}\">Processes</a>")), "{html}");
            let named = html.contains(" · Bits &amp; &lt;Bobs&gt;</title>");
            assert_eq!(named, path != run, "a run's window says its state instead: {html}");
        }
    }
}

#[tokio::test]
async fn name_without_home_links_to_index() {
    let server = branded("", Branding::new().title("Shop")).await;
    let html = index(&server, "").await;
    assert!(html.contains("<a class=\"home\" href=\"/\"><bdi>Shop</bdi></a><a href=\"/runs\">"), "{html}");
    assert!(html.contains("<title>Processes · Shop</title>") && !html.contains("<img"), "{html}");
}

#[tokio::test]
async fn logo_url_changes_with_content() {
    let kinds = [("image/svg+xml", LOGO.as_bytes(), ".svg"), ("image/png", PNG, ".png")];
    for (media_type, bytes, extension) in kinds {
        let server = branded("", Branding::new().logo(media_type, bytes)).await;
        let html = index(&server, "").await;
        let response = server.get(&file(&html, "", extension)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], media_type);
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(response.bytes().await.unwrap(), bytes);
    }
    let mut names = Vec::new();
    for logo in [LOGO, LOGO, "<svg/>"] {
        let server = branded("", Branding::new().logo_svg(logo)).await;
        names.push(file(&index(&server, "").await, "", ".svg"));
    }
    assert!(names[0] == names[1] && names[1] != names[2], "{names:?}");
}

#[tokio::test]
async fn custom_css_changes_stylesheet_name() {
    let plain = Server::start().await;
    let own = "main { max-width: 90rem }";
    let look = Branding::new().accent("#0a7d55").dark_accent("#5fd3a4").css(own);
    let server = branded("/a/b", look).await;
    let name = |html: String, prefix: &str| file(&html, prefix, ".css");
    assert_ne!(name(index(&server, "/a/b").await, "/a/b"), name(index(&plain, "").await, ""));
    let end = format!(
        "\n}}\n:root {{ --accent: #0a7d55; --accent-ink: #fff; }}\n\
         @media (prefers-color-scheme: dark) {{ :root {{ --accent: #5fd3a4; --accent-ink: #000; }} }}\n{own}\n"
    );
    let (branded, plain) = (style(&server, "/a/b").await, style(&plain, "").await);
    assert!(plain.starts_with("@layer process {\n") && plain.ends_with("\n}\n"), "{plain}");
    assert_eq!(branded.strip_suffix(&end), plain.strip_suffix("\n}\n"));
}

#[tokio::test]
async fn branding_keeps_security_headers() {
    let plain = Server::start().await;
    let look = Branding::new().title("Shop").logo_svg(LOGO).accent("red").css("a { color: red }");
    let server = branded("", look).await;
    for path in ["/", "/count/show_progress", "/nothing"] {
        let [own, theirs] = [&server, &plain].map(|server| server.get(path).header("accept", "text/html"));
        let (own, theirs) = (own.send().await.unwrap(), theirs.send().await.unwrap());
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
            assert_eq!(own.headers()[name], theirs.headers()[name], "{path}");
        }
        let html = own.text().await.unwrap();
        assert!(!html.contains("<style") && !html.contains("style="), "{html}");
    }
}

#[test]
fn invalid_branding_error_suggests_fix() {
    let right = "is not a colour that can be used: write #rgb, #rrggbb, rgb(10 125 85), hsl(158 85% 26%), \
                 oklch(0.52 0.12 160), or one of black, silver, ";
    for (branding, says) in [
        (Branding::new().accent("#12345"), format!("the accent \"#12345\" {right}")),
        (Branding::new().dark_accent("red } a {"), format!("the dark accent \"red }} a {{\" {right}")),
        (
            Branding::new().logo("image/gif", *b"GIF89a"),
            "a logo cannot be \"image/gif\": use \"image/svg+xml\" or \"image/png\"".to_owned(),
        ),
        (
            Branding::new().logo_svg("logo.svg"),
            "the media type of the logo is image/svg+xml, but the file contains no <svg>".to_owned(),
        ),
        (Branding::new().title(""), "the title is empty".to_owned()),
    ] {
        let refused = refused(branding);
        assert!(refused.starts_with(&says), "{refused}");
    }
}
