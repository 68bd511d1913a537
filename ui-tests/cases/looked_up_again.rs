use workflow::prelude::*;

#[activity]
async fn give(n: i64) -> Result<i64, ActivityError> {
    Ok(n)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Bag(Vec<i64>);

impl Bag {
    fn get_mut(&mut self, place: usize) -> Option<&mut i64> {
        self.0.push(0);
        self.0.get_mut(place)
    }
}

#[workflow]
async fn of_its_own(mut bag: Bag) -> Result<i64, WorkflowError> {
    if let Some(first) = bag.get_mut(0) {
        *first += give(*first).await?;
    }
    Ok(bag.0[0])
}

#[workflow]
async fn of_another_form(mut x: i64) -> Result<i64, WorkflowError> {
    match &mut x {
        k @ 1..=3 => {
            *k += 10;
            give(*k).await?;
            *k += 1;
        }
        _ => {}
    }
    Ok(x)
}

fn main() {}
