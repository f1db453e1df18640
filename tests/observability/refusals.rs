//! Refused requests leave a reason in the operator's log, at a bounded rate.

use process_tests::Server;

use super::heard;

#[tokio::test]
async fn refused_origin_names_both_values_and_cure() {
    heard::listen();
    let server = Server::start().await;
    for _ in 0..50 {
        let request = server.post("/says-nothing/start").header("origin", "http://shop.example:8080");
        let refused = request.header("host", "localhost").send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    let said = heard::said();
    let about: Vec<_> = said.iter().filter(|one| one.message().contains("from another site")).collect();
    let [one] = about[..] else { panic!("{about:?}") };
    for part in ["http://shop.example:8080", "for the host localhost", "proxy_set_header Host $http_host"] {
        assert!(one.message().contains(part), "{part}: {one:?}");
    }
}

#[tokio::test]
async fn unknown_host_is_named_with_cure() {
    heard::listen();
    let server = Server::start().await;
    // Another test may have used up the message of these ten seconds.
    for _ in 0..150 {
        let refused = server.get("/").header("host", "evil.example").send().await.unwrap();
        assert_eq!(refused.status(), 421);
        let said = heard::said();
        let about: Vec<_> = said.iter().filter(|one| one.message().contains("evil.example")).collect();
        if let Some(one) = about.first() {
            assert!(about.len() < 3, "{about:?}");
            assert!(one.message().contains("hosts([…])"), "{one:?}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing was said of it");
}
