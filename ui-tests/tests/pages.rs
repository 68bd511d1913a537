//! The pages of `docs/errors`: one for each code, whose wrong program fails with that code and
//! nothing else, and whose right program compiles.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

struct Page {
    code: String,
    wrong: String,
    right: String,
}

fn pages() -> Vec<Page> {
    let files = fs::read_dir(root().join("docs/errors")).unwrap();
    let mut pages: Vec<Page> = files
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with("README.md"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(
                text.starts_with(&format!("# {code}: ")),
                "{code} has a headline"
            );
            Page {
                wrong: program(&text, "Wrong"),
                right: program(&text, "Right"),
                code,
            }
        })
        .collect();
    pages.sort_by(|one, other| one.code.cmp(&other.code));
    pages
}

/// The first Rust code after a headline of a page.
fn program(text: &str, headline: &str) -> String {
    let (_, after) = text.split_once(&format!("## {headline}\n")).unwrap();
    code_block(after)
}

fn code_block(text: &str) -> String {
    let (_, code) = text.split_once("```rust\n").unwrap();
    code.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut codes = BTreeSet::new();
    for folder in ["workflow/src", "workflow-macros/src"] {
        collect_codes(&root().join(folder), &mut codes);
    }
    let pages: BTreeSet<String> = pages().into_iter().map(|page| page.code).collect();
    assert_eq!(codes, pages);
}

/// The codes that text literals of the sources begin with.
fn collect_codes(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_codes(&path, codes);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let begins = text
                .match_indices("\"WF")
                .map(|(at, _)| &text[at + 1..at + 7]);
            codes.extend(begins.map(str::to_owned));
        }
    }
}

/// All programs are the binaries of one package, so that one `cargo check` compiles them.
#[test]
fn the_wrong_programs_fail_with_their_code_and_the_right_ones_compile() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let programs = folder.join("src/bin");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&programs).unwrap();
    let workflow = root().join("workflow").canonicalize().unwrap();
    let manifest = format!(
        "[package]\nname = \"pages\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\"] }}\ntracing = \"0.1\"\nworkflow = {{ path = {workflow:?} }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let pages = pages();
    let readme = fs::read_to_string(root().join("docs/errors/README.md")).unwrap();
    let head = code_block(&readme);
    let write = |name: String, program: &str| {
        let text = format!("{head}\n\n{program}\n\nfn main() {{}}\n");
        fs::write(programs.join(name), text).unwrap();
    };
    for page in &pages {
        write(format!("{}_wrong.rs", page.code), &page.wrong);
        write(format!("{}_right.rs", page.code), &page.right);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--offline",
            "--keep-going",
            "--message-format=short",
        ])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let mut mistakes = Vec::new();
    for page in &pages {
        let code = &page.code;
        let errors = |kind: &str| {
            let file = format!("{code}_{kind}.rs");
            let lines = said.lines().filter(|line| line.contains(&file));
            lines
                .filter(|line| line.contains(": error"))
                .collect::<Vec<_>>()
        };
        let (wrong, right) = (errors("wrong"), errors("right"));
        let coded = |line: &&str| line.contains(&format!(": {code}: "));
        if wrong.is_empty() || !wrong.iter().all(coded) {
            mistakes.push(format!("the wrong program of {code}: {wrong:#?}"));
        }
        if !right.is_empty() {
            mistakes.push(format!("the right program of {code}: {right:#?}"));
        }
    }
    assert!(mistakes.is_empty(), "{}\n\n{said}", mistakes.join("\n"));
}
