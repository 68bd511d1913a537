//! Workflows with type parameters.

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow::prelude::*;

use crate::driver::*;

#[test]
fn a_parameter_that_becomes_another() {
    #[workflow]
    async fn run<A, B>(a: A) -> Result<B, WorkflowError>
    where
        A: Serialize + DeserializeOwned + Into<B> + Send,
        B: Serialize + DeserializeOwned + Send,
    {
        give(1).await?;
        Ok(a.into())
    }
    let plain = crate::driver::plain(run::<i32, i64>::plain(4));
    let compiled = crate::driver::compiled(run::<i32, i64>(4), &[]);
    assert_eq!(plain, compiled);
}
pub trait Job {
    type In: Serialize + DeserializeOwned + Send;
    fn go(i: &Self::In) -> i64;
}
pub struct J1;
impl Job for J1 {
    type In = String;
    fn go(i: &String) -> i64 {
        i.len() as i64
    }
}
#[test]
fn a_parameter_that_only_names_a_type() {
    #[workflow]
    async fn run<J: Job>(input: J::In) -> Result<i64, WorkflowError> {
        give(1).await?;
        Ok(give(J::go(&input)).await?)
    }
    let plain = crate::driver::plain(run::<J1>::plain("abc".to_string()));
    let compiled = crate::driver::compiled(run::<J1>("abc".to_string()), &[]);
    assert_eq!(plain, compiled);
    #[workflow]
    async fn other<J>(input: <J as Job>::In, also: Option<i64>) -> Result<i64, WorkflowError>
    where
        J: Job,
    {
        give(also.unwrap_or(1)).await?;
        Ok(give(J::go(&input)).await?)
    }
    let plain = crate::driver::plain(other::<J1>::plain("abc".to_string(), None));
    let compiled = crate::driver::compiled(other::<J1>("abc".to_string(), None), &[]);
    assert_eq!(plain, compiled);
}
