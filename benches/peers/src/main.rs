//! This library and its peers, interleaved: the workloads of `benches`.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- --directory target`

mod durare;
mod duroxide;
mod memable;

fn main() -> std::process::ExitCode {
    benches::main(&[
        &benches::ours::Workflow,
        &memable::Memable,
        &durare::Durare,
        &duroxide::Duroxide,
    ])
}
