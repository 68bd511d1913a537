//! The provider that the tests run on: the embedded engine, or, beside a server
//! (`temporal/with-server`), the provider `"temporal"`.

use std::path::Path;
use std::process::Command;

use workflow::prelude::*;

/// Settings for what a test keeps under a directory. On a server it has a namespace of its own.
pub fn config(path: &Path) -> (&'static str, Config) {
    let Some(address) = server() else {
        return ("default", Config::new().path(path));
    };
    let namespace = namespace(path);
    let made = path.join("namespace");
    if !made.exists() {
        temporal(&["operator", "namespace", "create", "--namespace", &namespace]);
        std::fs::create_dir_all(path).expect("the directory can be made");
        std::fs::write(made, &namespace).expect("the directory can be written");
    }
    let config = Config::new()
        .host(address)
        .namespace(namespace)
        .task_queue("tests");
    ("temporal", config)
}

/// The address of the server, if the tests run beside one.
pub fn server() -> Option<String> {
    std::env::var("TEMPORAL_ADDRESS").ok()
}

/// Whether the tests run beside a server.
pub fn on_server() -> bool {
    server().is_some()
}

/// Whether there is a server, for a test of what only a server shows; says so if not.
pub fn server_is_there() -> bool {
    if !on_server() {
        println!(
            "skipped: no server; run `tests/temporal/with-server cargo test -p tests --features temporal`"
        );
    }
    on_server()
}

/// An executor with one workflow.
pub async fn open<W: Workflow>(path: &Path) -> Executor {
    open_with(path, Config::register::<W>).await
}

/// An executor with further settings.
pub async fn open_with(path: &Path, configure: impl FnOnce(Config) -> Config) -> Executor {
    let (provider, config) = config(path);
    let executor = workflow::new(provider, configure(config)).await;
    executor.expect("it opens")
}

/// The namespace of what is kept under a directory.
fn namespace(path: &Path) -> String {
    let name = path.to_string_lossy();
    let name = name.rsplit(['/', '.']).next().unwrap_or_default();
    format!("test-{name}")
}

/// What the server's own command line says in the namespace of a test: a witness that shares
/// nothing with this library but the server.
pub fn cli(data: &Path, arguments: &[&str]) -> String {
    temporal(&[arguments, &["--namespace", &namespace(data)]].concat())
}

/// How many runs of a workflow id the server has with that status, as it calls it.
pub fn runs_with(data: &Path, id: &str, status: &str) -> u32 {
    let query = format!(r#"WorkflowId = "{id}" AND ExecutionStatus = "{status}""#);
    let count = cli(data, &["workflow", "count", "--query", &query]);
    let count = count.trim().rsplit(' ').next().map(str::parse);
    count.and_then(Result::ok).expect("it ends with a number")
}

fn temporal(arguments: &[&str]) -> String {
    let cli = std::env::var("TEMPORAL_CLI").expect("`temporal/with-server` sets it");
    let address = server().expect("`temporal/with-server` sets it");
    let output = Command::new(cli)
        .args(arguments)
        .args(["--address", &address])
        .output()
        .expect("the command line is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{error}");
    said
}
