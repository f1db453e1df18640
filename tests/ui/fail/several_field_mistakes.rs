use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = "check", confirm = "")]
async fn recalculate_prices(
    #[field(lable = "By how much", min = 5, max = 3)] percent: f64,
    #[field(pattern = "(")] code: String,
    #[field(multiline = 3)] note: String,
    #[field(choices = "a,b", min_len = "1")] size: String,
    #[field(max_size = "10MB")] file: Upload,
) {
    let _ = (percent, code, note, size, file);
}

fn main() {}
