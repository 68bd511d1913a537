use workflow::prelude::*;

#[activity(timeout = "10 minuts")]
async fn one() -> Result<(), ActivityError> {
    Ok(())
}

#[activity(retry(max_attempts = 0, backoff_coefficient = 0.5))]
async fn two() -> Result<(), ActivityError> {
    Ok(())
}

#[activity(retry(max_attempt = 1))]
async fn three() -> Result<(), ActivityError> {
    Ok(())
}

#[activity(heartbeat = "1s")]
async fn four() -> Result<(), ActivityError> {
    Ok(())
}

fn main() {}
