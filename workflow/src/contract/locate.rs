//! Where a saved state is in the code at hand.

use super::{Definition, Fault, Snapshot, StateDefinition};

impl Definition {
    /// Which state a snapshot goes on at.
    ///
    /// Among the awaits of its base name, an equal fingerprint decides, also when the number in
    /// the name moved. A single candidate in equal surroundings is taken, for then only the
    /// arguments were edited. Everything else is refused, and so is a state of another shape: no
    /// run goes on at the wrong await.
    ///
    /// # Errors
    /// When no state fits, or none surely; the run is then to be set aside, untouched.
    pub fn locate(&self, snapshot: &Snapshot) -> Result<usize, Fault> {
        let state = || snapshot.name.clone();
        let candidates: Vec<usize> = (0..self.states.len())
            .filter(|&i| self.states[i].base == snapshot.base)
            .collect();
        let equal = candidates
            .iter()
            .copied()
            .find(|&i| self.states[i].fingerprint == snapshot.fingerprint);
        let index = match (equal, &candidates[..]) {
            (Some(index), _) => index,
            (None, [single]) if self.states[*single].surroundings == snapshot.surroundings => {
                *single
            }
            (None, []) => return Err(Fault::StateMissing { state: state() }),
            (None, _) => {
                let names: Vec<_> = candidates.iter().map(|&i| self.states[i].name).collect();
                return Err(Fault::StateAmbiguous {
                    state: state(),
                    candidates: names.join(", "),
                });
            }
        };
        let found = &self.states[index];
        if found.shape != snapshot.shape {
            return Err(Fault::ShapeChanged {
                state: state(),
                difference: found.difference(snapshot),
            });
        }
        Ok(index)
    }
}

impl StateDefinition {
    /// What differs between a snapshot's fields and the code's, in words.
    fn difference(&self, snapshot: &Snapshot) -> String {
        let mut differences = Vec::new();
        for saved in &snapshot.fields {
            match self.fields.iter().find(|field| field.name == saved.name) {
                None => differences.push(format!("field `{}` is not there any more", saved.name)),
                Some(field) if field.ty.shape.hash != saved.value.shape => {
                    differences.push(format!(
                        "field `{}` was of another type and is now `{}`",
                        saved.name, field.ty.shape.text
                    ))
                }
                Some(_) => {}
            }
        }
        for field in &self.fields {
            if snapshot.fields.iter().all(|saved| saved.name != field.name) {
                differences.push(format!("field `{}` is new", field.name));
            }
        }
        if differences.is_empty() {
            differences.push("its fields stand in another order".to_owned());
        }
        differences.join("; ")
    }
}
