use workflow::prelude::*;

#[workflow]
async fn run(x: i64) -> Result<i64, WorkflowError> {
    #[workflow::allow(nondeterminism)]
    let unexplained = std::time::SystemTime::now();
    #[workflow::allow(reason = "why not")]
    let nothing = std::time::SystemTime::now();
    #[workflow::allow(everything, reason = "why not")]
    let everything = std::time::SystemTime::now();
    Ok(match x {
        #[workflow::allow(nondeterminism, reason = "on an arm")]
        1 => 2,
        _ => x,
    })
}

#[workflow::allow(nondeterminism, reason = "on a function")]
fn helper() {}

#[workflow]
#[workflow::allow(nondeterminism, reason = "on a workflow")]
async fn whole(x: i64) -> Result<i64, WorkflowError> {
    Ok(x)
}

fn main() {}
