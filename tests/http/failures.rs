//! Runs that fail: the message and its causes, for every reader.

use process_tests::Server;
use serde_json::json;

#[tokio::test]
async fn failure_has_causes_everywhere() {
    let server = Server::start().await;
    let run = server.run("fails-for-a-reason", json!({})).await;
    let ended = server.ended(&run).await;
    let causes = json!(["no connection to db.internal", "connection refused"]);
    assert_eq!((&ended["error"], &ended["causes"]), (&json!("the catalog was not read"), &causes));
    let end = server.events(&run).await.all().await.pop().unwrap();
    assert_eq!((&end.data["error"], &end.data["causes"]), (&ended["error"], &causes));

    let chain = "the catalog was not read: no connection to db.internal: connection refused";
    let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    assert!(log.lines().last().unwrap().ends_with(&format!("ERROR {chain}")), "{log}");
    assert_eq!(ended["warnings"], 0, "its own end is no warning");
    let message =
        server.get(&format!("{run}/events?format=message")).send().await.unwrap().text().await.unwrap();
    assert!(message.contains(chain), "{message}");

    let page = server.get(&run).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    for part in ["the catalog was not read", "no connection to db.internal", "connection refused"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let succeeded = server.run("says-nothing", json!({})).await;
    assert_eq!(server.ended(&succeeded).await["causes"], json!([]));
}
