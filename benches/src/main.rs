//! The embedded engine beside a bare append-and-fdatasync loop. `cargo run --release -p benches`
//! prints the table; `--help` lists the sizes.

fn main() -> std::process::ExitCode {
    benches::main(&[&benches::ours::Workflow])
}
