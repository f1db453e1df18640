//! Compiles the Rust code of the README and of the guide as documentation tests: `cargo test -p process-examples --doc`.

/// Makes one documentation test for each block of Rust code in a page.
macro_rules! pages {
    ($($name:ident: $path:literal),* $(,)?) => {
        $(#[doc = include_str!($path)] struct $name;)*
    };
}

pages! {
    Readme: "../../README.md",
    Contributing: "../../CONTRIBUTING.md",
    Index: "../../docs/guide/README.md",
    GettingStarted: "../../docs/guide/getting-started.md",
    ParametersAndForms: "../../docs/guide/parameters-and-forms.md",
    ProgressAndLogs: "../../docs/guide/progress-and-logs.md",
    Durability: "../../docs/guide/durability.md",
    RetriesAndTimeouts: "../../docs/guide/retries-and-timeouts.md",
    Schedules: "../../docs/guide/schedules.md",
    Authorization: "../../docs/guide/authorization.md",
    Limits: "../../docs/guide/limits.md",
    BehindNginx: "../../docs/guide/behind-nginx.md",
    GracefulShutdown: "../../docs/guide/graceful-shutdown.md",
    RateLimitedMail: "../../docs/guide/rate-limited-mail.md",
    ShellCommands: "../../docs/guide/shell-commands.md",
    Testing: "../../docs/guide/testing.md",
    Deployment: "../../docs/guide/deployment.md",
    Operations: "../../docs/guide/operations.md",
    Scaling: "../../docs/guide/scaling.md",
    MinimalClient: "../../docs/guide/minimal-client.md",
    Embedding: "../../docs/guide/embedding.md",
    BrandingAndLayout: "../../docs/guide/branding-and-layout.md",
    Languages: "../../docs/guide/languages.md",
    WireFormat: "../../docs/guide/wire-format.md",
}
