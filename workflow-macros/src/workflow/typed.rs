//! How many of the locals that ordinary code saves the state enum spells the types of, and how many
//! of them the source annotates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemFn, Local, Pat, PatIdent};

/// The workflows of a program.
#[derive(Default)]
struct Workflows(Vec<ItemFn>);

impl Visit<'_> for Workflows {
    fn visit_item_fn(&mut self, item: &ItemFn) {
        let is_workflow = |attr: &Attribute| attr.path().is_ident("workflow");
        if item.attrs.iter().any(is_workflow) {
            self.0.push(item.clone());
        }
        visit::visit_item_fn(self, item);
    }
}

/// The names of a workflow's bindings.
#[derive(Default)]
struct Names {
    all: BTreeSet<String>,
    /// Those that a `let` annotates.
    annotated: BTreeSet<String>,
}

impl Names {
    /// Whether a saved value is a binding of the source, and not one of the compiler's.
    fn have(&self, field: &str) -> bool {
        let numbered = field.trim_end_matches(|c: char| c.is_ascii_digit());
        let plain = numbered.strip_suffix('_').unwrap_or(field);
        self.all.contains(field) || self.all.contains(plain)
    }
}

impl Visit<'_> for Names {
    fn visit_local(&mut self, local: &Local) {
        if let Pat::Type(typed) = &local.pat
            && let Pat::Ident(pattern) = &*typed.pat
        {
            self.annotated.insert(pattern.ident.to_string());
        }
        visit::visit_local(self, local);
    }
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.all.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The locals that the states of an expanded workflow save, and whether the type of each is spelled.
fn saved(expanded: TokenStream) -> BTreeMap<String, bool> {
    let file: File = syn::parse2(expanded).unwrap();
    let state_enum = file.items.iter().find_map(|item| match item {
        Item::Enum(item) if item.ident.to_string().ends_with("State") => Some(item),
        _ => None,
    });
    let states = state_enum.unwrap().variants.iter();
    let fields = states.filter(|state| state.ident != "Start");
    let fields = fields.flat_map(|state| &state.fields);
    let spelled = fields.map(|field| {
        let ty = field.ty.to_token_stream().to_string();
        let name = field.ident.as_ref().unwrap().to_string();
        (name, ty != ":: workflow :: Saved")
    });
    spelled.collect()
}

#[test]
fn three_in_five_saved_locals_are_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["examples", "tests"] {
        let mut files = Vec::new();
        programs(&root.join(folder), &mut files);
        let mut workflows = Workflows::default();
        for file in files {
            let file = syn::parse_file(&fs::read_to_string(&file).unwrap());
            workflows.visit_file(&file.unwrap());
        }
        let (mut all, mut typed, mut annotated) = (0, 0, 0);
        for workflow in &workflows.0 {
            let mut names = Names::default();
            names.visit_item_fn(workflow);
            let mut workflow = workflow.clone();
            workflow.attrs.clear();
            let mut locals = saved(super::expand(
                TokenStream::new(),
                workflow.to_token_stream(),
            ));
            locals.retain(|name, _| names.have(name));
            all += locals.len();
            annotated += locals
                .keys()
                .filter(|name| names.annotated.contains(*name))
                .count();
            typed += locals.values().filter(|typed| **typed).count();
        }
        println!(
            "{folder}: {} workflows save {all} locals, {typed} of them typed, {annotated} annotated in the source",
            workflows.0.len()
        );
        assert!(typed * 5 >= all * 3, "{typed} of {all}");
    }
}
