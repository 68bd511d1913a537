use workflow::prelude::*;

struct Approval(bool);

#[workflow]
async fn run(ctx: &mut Context) -> Result<bool, WorkflowError> {
    let approval = ctx.wait_for_signal::<Approval>("approval", Duration::MAX).await?;
    Ok(approval.0)
}

fn main() {}
