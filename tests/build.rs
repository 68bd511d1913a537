//! Writes the random bodies of the differential test: `BODIES` of them (100), from seed `SEED` (1).

#[path = "differential/generator/mod.rs"]
mod generator;

use std::env::var;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=differential/generator");
    let number = |name: &str, default: u64| {
        println!("cargo::rerun-if-env-changed={name}");
        var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let (bodies, first) = (number("BODIES", 100), number("SEED", 1));
    let source: String = (first..first + bodies).map(generator::module).collect();
    let path = Path::new(&var("OUT_DIR").expect("cargo sets it")).join("bodies.rs");
    std::fs::write(path, source).expect("the bodies can be written");
}
