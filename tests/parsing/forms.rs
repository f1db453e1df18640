//! The input of a run round-trips through its form.

use process_tests::fields::{Order, OrderInput};
use process_tests::forms::pairs;
use process_tests::raw::{self, Raw};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, given};

/// An input without `Debug`, with a description of it.
struct Given {
    input: OrderInput,
    made_of: String,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.made_of)
    }
}

fn inputs() -> impl Strategy<Value = Given> {
    let texts = ("[^\\p{C}\\p{Z}][^\\p{Cc}]{1,20}", "[^\\p{Cc}\n]{0,20}", any::<char>());
    let numbers = (any::<u64>(), any::<Option<u128>>(), 0..=200_u32, prop::option::of(given::floats()));
    let boxes = (any::<bool>(), any::<Option<bool>>());
    let days = (given::dates(), prop::option::of(given::times()), prop::option::of(given::date_times()));
    let moments =
        (prop::option::of(given::moments()), 0..=86_400_u64, prop::option::of(given::signed_durations()));
    let ids = (
        prop::option::of(given::uuids()),
        prop::option::of(given::urls()),
        prop::option::of(given::emails()),
        given::deliveries(),
        // A box is ticked once.
        prop::collection::vec(given::deliveries(), 0..2),
    );
    let lists = (prop::collection::vec(given::words(), 0..5), prop::collection::vec(any::<u8>(), 0..4));
    let groups = (
        given::addresses(),
        prop::option::of(given::addresses()),
        prop::collection::vec(given::lines(), 0..3),
    );
    (texts, numbers, boxes, days, moments, ids, lists, groups).prop_map(|all| {
        let made_of = format!("{all:?}");
        let (texts, numbers, boxes, days, moments, ids, lists, groups) = all;
        let input = OrderInput {
            name: texts.0,
            note: texts.1,
            sign: texts.2,
            number: numbers.0,
            huge: numbers.1,
            percent: f64::from(numbers.2) / 2.0,
            limit: numbers.3,
            only_check: boxes.0 && groups.2.len() < 2,
            subscribed: boxes.1,
            from: days.0,
            until: None,
            at: days.1,
            meeting: days.2,
            deadline: moments.0,
            pause: std::time::Duration::from_secs(moments.1),
            shift: moments.2,
            id: ids.0,
            website: ids.1,
            email: ids.2,
            delivery: ids.3,
            deliveries: ids.4,
            tags: lists.0,
            floors: lists.1,
            address: groups.0,
            second_address: groups.1,
            lines: groups.2,
        };
        Given { input, made_of }
    })
}

#[test]
fn run_again_starts_the_same_input() {
    let raw = Raw::new();
    proptest!(cases(48), |(input in inputs())| {
        let run = raw.runtime.block_on(Order::start(&raw.processes, input.input).into_future()).unwrap();
        let run = raw.runtime.block_on(run.run()).unwrap();
        let page = raw.get(&format!("/runs/{}", run.id), "text/html").text;
        let link = page.split("<a ").find(|link| link.contains("data-part=\"again\"")).unwrap();
        let link = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        // The form that it leads to, sent as it stands.
        let form = raw.get(&link, "text/html");
        prop_assert_eq!(form.status, 200);
        let sent = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs(&form.text)).finish();
        let started = raw.post("/fields/order/start", raw::FORM, "application/json", vec![sent.into()]);
        prop_assert_eq!(started.status, 201, "{}", started.text);
        let again: Value = serde_json::from_str(&started.text).unwrap();
        prop_assert_eq!(&again["input"], &json!(run.input));
    });
}
