//! A process in a library, one in a nested private module, and the line that links those of another library.

// Without this line, the linker drops the other library with its processes.
use linking_more_jobs as _;
use process_runtime::prelude::*;

/// A process at the root of a library.
#[process(title = "In a library")]
pub async fn in_library() {}

mod outer {
    mod inner {
        use process_runtime::prelude::*;

        #[process(title = "In a nested private module", group = "nested")]
        async fn in_nested_module() {}
    }
}
