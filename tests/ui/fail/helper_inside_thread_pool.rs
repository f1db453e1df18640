use process_runtime::prelude::*;

/// Stands for the crate.
mod rayon {
    pub fn join(one: impl Fn() + Send, other: impl Fn() + Send) {
        one();
        other();
    }
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    rayon::join(|| log("the lamps"), || log("the chairs"));
}

fn main() {}
