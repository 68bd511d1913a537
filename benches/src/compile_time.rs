//! What `#[workflow]` costs in `cargo check`, beside the same bodies as plain `async fn`s:
//! `cargo run --release -p benches --bin compile_time`.
//!
//! Two crates are written for each of two shapes: one body of 1,000 lines with 200 awaits, and 200
//! workflows of a common size. In each round both are checked, one after the other, with their
//! dependencies already there; the medians and their ratio are printed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for (what, body) in [
        ("1,000 lines with 200 awaits", one_long()),
        ("200 workflows", many()),
    ] {
        let plain = package(directory.path(), "plain", &body, "");
        let compiled = package(directory.path(), "compiled", &body, "#[workflow]");
        // The first check of each builds the dependencies.
        check(&plain);
        check(&compiled);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            before.push(check(&plain));
            after.push(check(&compiled));
        }
        let (before, after) = (median(before), median(after));
        let ratio = after.as_secs_f64() / before.as_secs_f64();
        println!(
            "{what}: as plain async {before:.2?}, with #[workflow] {after:.2?}, {ratio:.1} times"
        );
    }
}

fn one_long() -> String {
    let mut body =
        String::from("ATTRIBUTE\nasync fn long(mut total: i64) -> Result<i64, WorkflowError> {\n");
    for i in 0..200 {
        let _ = writeln!(
            body,
            "    let v{i} = give(total + {i}).await?;\n\
             \x20   if v{i} > {i} {{\n\
             \x20       total += v{i} % 7;\n\
             \x20   }}\n\
             \x20   total = total.max(v{i});"
        );
    }
    body + "    Ok(total)\n}\n"
}

fn many() -> String {
    let mut body = String::new();
    for i in 0..200 {
        let _ = writeln!(
            body,
            "ATTRIBUTE\n\
             async fn order{i}(id: i64, items: Vec<i64>) -> Result<i64, WorkflowError> {{\n\
             \x20   let mut total = give(id).await?;\n\
             \x20   for item in items {{\n\
             \x20       let price = give(item).await?;\n\
             \x20       if price > {i} {{\n\
             \x20           total += price;\n\
             \x20       }}\n\
             \x20   }}\n\
             \x20   let paid = give(total).await?;\n\
             \x20   Ok(paid + id)\n\
             }}"
        );
    }
    body
}

/// A package with a body, in a folder of its own.
fn package(directory: &Path, name: &str, body: &str, attribute: &str) -> PathBuf {
    let folder = directory.join(name);
    fs::create_dir_all(folder.join("src")).expect("a directory can be made");
    let workflow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflow");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nworkflow = {{ path = {workflow:?} }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file can be written");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("a file can be copied");
    let text = format!(
        "#![allow(dead_code)]\nuse workflow::prelude::*;\n\n\
         #[activity]\nasync fn give(n: i64) -> Result<i64, ActivityError> {{\n    Ok(n)\n}}\n\n{}",
        body.replace("ATTRIBUTE", attribute)
    );
    fs::write(folder.join("src/lib.rs"), text).expect("a file can be written");
    folder
}

/// How long a check takes of a package whose source has just changed.
fn check(folder: &Path) -> Duration {
    let source = folder.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("it was written");
    fs::write(&source, text).expect("a file can be written");
    let begun = Instant::now();
    let status = Command::new("cargo")
        .args(["check", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("../target"))
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::inherit())
        .status()
        .expect("cargo is there");
    assert!(status.success(), "the bodies compile");
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
