//! What viewers see while nginx, or the program behind it, is down for a while.

use process_tests::events::line_numbers;
use process_tests::{Event, Events, Program, Site};
use serde_json::json;

use super::PROGRAM;
use super::nginx::Nginx;

pub(crate) async fn viewers_survive_an_nginx_restart() {
    let program = Program::start(PROGRAM, &[]);
    let mut nginx = Nginx::before(program.port());
    let site = Site::at(nginx.url());
    let run = site.run("count", json!({ "total": 600, "pause": 10 })).await;
    let mut events: Vec<Event> = Vec::new();
    let mut cuts = 0;
    loop {
        let mut request = site.get(&format!("{run}/events"));
        if let Some(last) = events.last() {
            request = request.header("last-event-id", &last.id);
        }
        let mut stream = Events::of(request.send().await.unwrap());
        // Each cut comes a few events later; events in flight may arrive or not.
        let cut_after = 5 + 7 * cuts;
        let before = events.len();
        while let Ok(Some(event)) = stream.try_next().await {
            events.push(event);
            if events.len() - before == cut_after && cuts < 5 {
                nginx.kill();
            }
        }
        if events.last().unwrap().name == "end" {
            break;
        }
        cuts += 1;
        assert!(site.get(&run).send().await.unwrap_err().is_connect());
        nginx.start_again();
    }
    assert_eq!(cuts, 5);
    assert_eq!(line_numbers(&events), (1..=600).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
    let again = site.get(&format!("{run}/events")).header("last-event-id", &events.last().unwrap().id);
    assert_eq!(again.send().await.unwrap().status(), 204);
}

pub(crate) async fn stopped_program_gives_viewers_502() {
    let program = Program::start(PROGRAM, &[]);
    let nginx = Nginx::before(program.port());
    let site = Site::at(nginx.url());
    let run = site.run("wait", json!({})).await;
    let mut stream = site.events(&run).await;
    stream.until_logged().await;
    drop(program);
    // To nginx, in HTTP/1.0, the end of the connection is the end of the answer: no viewer may take it for the
    // end of the run.
    while let Ok(Some(event)) = stream.try_next().await {
        assert_ne!(event.name, "end");
    }
    assert_eq!(site.get(&format!("{run}/events")).send().await.unwrap().status(), 502);
}
