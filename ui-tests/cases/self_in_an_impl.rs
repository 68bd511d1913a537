use workflow::prelude::*;

struct Shop {
    name: String,
}

impl Shop {
    #[activity]
    async fn charge(&self, n: i64) -> Result<i64, ActivityError> {
        println!("{}", self.name);
        Ok(n)
    }

    #[workflow]
    async fn run(&self, ctx: &mut Context, n: i64) -> Result<i64, WorkflowError> {
        ctx.sleep(Duration::from_secs(1)).await?;
        Ok(self.charge(n).await?)
    }
}

fn main() {}
