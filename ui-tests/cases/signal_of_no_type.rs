use workflow::prelude::*;

#[workflow]
async fn run(ctx: &mut Context) -> Result<(), WorkflowError> {
    ctx.wait_for_signal("ready", Duration::MAX).await?;
    let _ = ctx.wait_for_signal("done", Duration::MAX).await?;
    Ok(())
}

fn main() {}
