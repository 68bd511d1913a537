//! Data that cannot be opened: in use, not writable, corrupt, cut short.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{open, shout};
use workflow::prelude::*;

fn config(path: &Path) -> Config {
    Config::new().path(path).register::<shout>()
}

async fn refusal(path: &Path) -> String {
    match workflow::new("default", config(path)).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn in_use_by_this_process() {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<shout>(data.path()).await;
    let error = refusal(data.path()).await;
    assert!(
        error.contains(&data.path().display().to_string()),
        "{error}"
    );
    assert!(error.contains("open"), "{error}");
    // The first is unharmed, and once it is closed another may open.
    assert_eq!(executor.execute(shout("a".to_owned())).await.unwrap(), "A!");
    executor.shutdown().await;
    open::<shout>(data.path()).await;
}

#[tokio::test]
async fn in_use_by_another_process() {
    let data = tempfile::tempdir().unwrap();
    let _executor = open::<shout>(data.path()).await;
    let other = Command::new(env!("CARGO_BIN_EXE_victim"))
        .arg(data.path())
        .arg("0")
        .output()
        .unwrap();
    assert!(!other.status.success());
    let error = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(
        error.contains(&data.path().display().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_path_that_cannot_be_a_directory() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = refusal(&path).await;
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}

/// Damages every file of a closed data directory in turn; opening names the file or recovers.
async fn damaged(damage: impl Fn(&mut Vec<u8>)) {
    let data = tempfile::tempdir().unwrap();
    let executor = open::<shout>(data.path()).await;
    executor.start(shout("a".to_owned())).id("a").await.unwrap();
    let run = executor.handle::<shout>("a").await.unwrap();
    assert_eq!(run.result().await.unwrap(), "A!");
    drop((executor, run));
    for file in ["journal.log", "state.redb"] {
        let copy = tempfile::tempdir().unwrap();
        for name in ["journal.log", "state.redb"] {
            fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
        }
        let path = copy.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        match workflow::new("default", config(copy.path())).await {
            Err(error) => assert!(error.to_string().contains(file), "{error}"),
            Ok(executor) => {
                let run = executor.handle::<shout>("a").await.unwrap();
                assert_eq!(run.result().await.unwrap(), "A!");
            }
        }
    }
}

#[tokio::test]
async fn a_foreign_file() {
    damaged(|bytes| *bytes = b"this is no database".to_vec()).await;
}

#[tokio::test]
async fn an_empty_file() {
    damaged(Vec::clear).await;
}

#[tokio::test]
async fn a_file_cut_short() {
    damaged(|bytes| bytes.truncate(bytes.len() / 2)).await;
}

#[tokio::test]
async fn zeros_in_the_header() {
    damaged(|bytes| bytes[..64].fill(0)).await;
}

#[tokio::test]
async fn one_of_the_files_is_missing() {
    for missing in ["journal.log", "state.redb"] {
        let data = tempfile::tempdir().unwrap();
        open::<shout>(data.path()).await.shutdown().await;
        fs::remove_file(data.path().join(missing)).unwrap();
        let error = refusal(data.path()).await;
        assert!(error.contains(missing), "{error}");
    }
}
