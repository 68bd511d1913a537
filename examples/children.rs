//! Child workflows and inline workflows: each chapter is written by a run of its own, and reviewed
//! by a workflow that is a part of that.

use workflow::prelude::*;

#[activity]
async fn write(title: &str) -> Result<String, ActivityError> {
    println!("writing {title}");
    Ok(format!("All about {title}."))
}

#[workflow]
async fn review(ctx: &mut Context, text: String) -> Result<String, WorkflowError> {
    let approved: bool = ctx
        .wait_for_signal("approved", Duration::from_hours(24))
        .await?;
    if !approved {
        return Err(WorkflowError::new("not approved"));
    }
    Ok(text)
}

/// Hands on its context: `review` runs inline, and the signal comes to the chapter.
#[workflow]
async fn chapter(ctx: &mut Context, title: String) -> Result<String, WorkflowError> {
    let text = write(&title).await?;
    review(ctx, text).await
}

/// Calls without the context: each chapter is a run of its own, and all run beside each other.
#[workflow]
async fn book(titles: Vec<String>) -> Result<String, WorkflowError> {
    let mut text = String::new();
    for chapter in join_all(titles.into_iter().map(chapter)).await {
        text += &chapter?;
    }
    Ok(text)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let config = Config::new().path(directory.path()).register::<book>();
    let executor = workflow::new("default", config).await?;
    let titles = vec!["rivers".to_owned(), "lakes".to_owned()];
    let run = executor.start(book(titles)).id("book").await?;
    for operation in 1..=2 {
        // A child's id is made of its parent's ids and the operation's number.
        let id = format!("book/{}/{operation}", run.run_id());
        while executor.signal(&id, "approved", true).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await; // it has not begun
        }
    }
    println!("{}", run.result().await?);
    Ok(())
}
