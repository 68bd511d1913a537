//! Awaiting several operations until all have ended.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;
use crate::contract::{
    Arrived, Asked, Awaits, Definition, Durable, Request, SignalNames, SingleOperation, sealed,
};

/// Awaits several operations, which run beside each other, until all have ended, and gives what
/// each gave, as a tuple. A failure of one does not stop the others.
///
/// ```
/// use workflow::prelude::*;
///
/// #[activity]
/// async fn price(item: &str) -> Result<u32, ActivityError> {
///     Ok(item.len() as u32)
/// }
///
/// #[workflow]
/// async fn total() -> Result<u32, WorkflowError> {
///     let (tea, cake) = join!(price("tea"), price("cake"));
///     Ok(tea? + cake?)
/// }
/// ```
#[macro_export]
macro_rules! join {
    ($($operation:expr),+ $(,)?) => {
        $crate::Join::new(($($operation,)+)).await
    };
}

/// Several operations of different types: what [`join!`](crate::join!) awaits.
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a join does nothing unless it is awaited"]
pub struct Join<T>(T);

impl<T> Join<T> {
    /// Of a tuple of operations.
    pub fn new(operations: T) -> Self {
        Self(operations)
    }
}

impl<T> sealed::Sealed for Join<T> {}

/// Awaits any number of operations of one type, which run beside each other, until all have ended,
/// and gives what each gave, in their order.
///
/// ```
/// use workflow::prelude::*;
///
/// #[activity]
/// async fn price(item: &str) -> Result<u32, ActivityError> {
///     Ok(item.len() as u32)
/// }
///
/// #[workflow]
/// async fn total(items: Vec<String>) -> Result<u32, WorkflowError> {
///     let mut total = 0;
///     for price in join_all(items.iter().map(|item| price(item))).await {
///         total += price?;
///     }
///     Ok(total)
/// }
/// ```
pub fn join_all<D>(operations: impl IntoIterator<Item = D>) -> JoinAll<D> {
    JoinAll(operations.into_iter().collect())
}

/// Operations of one type: what [`join_all`] gives.
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "a join does nothing unless it is awaited"]
pub struct JoinAll<D>(Vec<D>);

impl<D> sealed::Sealed for JoinAll<D> {}

/// What operations that are awaited together ask for.
pub(crate) fn asked(
    requests: impl IntoIterator<Item = Result<Request, CodecError>>,
) -> Result<Vec<Asked>, CodecError> {
    let asked = requests.into_iter().map(|request| {
        let single = request?.into_single();
        Ok(single.expect("a single operation asks for one"))
    });
    asked.collect()
}

impl<D: SingleOperation> Durable for JoinAll<D> {
    type Output = Vec<D::Output>;

    fn into_request(self) -> Result<Request, CodecError> {
        Ok(Request::All(asked(
            self.0.into_iter().map(D::into_request),
        )?))
    }

    fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
        (0..arrived.count()).map(|_| D::resolve(arrived)).collect()
    }

    fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
        Awaits::JoinAll(Box::new(D::describe(signals, definition)))
    }
}

impl<D: IntoFuture + 'static> IntoFuture for JoinAll<D> {
    type Output = Vec<D::Output>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    /// In the function as written, run without an engine, one is awaited after the other.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut outputs = Vec::with_capacity(self.0.len());
            for operation in self.0 {
                outputs.push(operation.await);
            }
            outputs
        })
    }
}

macro_rules! joins {
    ($(($($operation:ident $index:tt),+);)*) => {$(
        impl<$($operation: SingleOperation),+> Durable for Join<($($operation,)+)> {
            type Output = ($(<$operation as Durable>::Output,)+);

            fn into_request(self) -> Result<Request, CodecError> {
                Ok(Request::All(asked([$(self.0.$index.into_request()),+])?))
            }

            fn resolve(arrived: &mut Arrived) -> Result<Self::Output, CodecError> {
                Ok(($($operation::resolve(arrived)?,)+))
            }

            fn describe(signals: &mut SignalNames<'_>, definition: &mut Definition) -> Awaits {
                Awaits::Join(vec![$($operation::describe(signals, definition)),+])
            }
        }

        impl<$($operation: IntoFuture + 'static),+> IntoFuture for Join<($($operation,)+)> {
            type Output = ($($operation::Output,)+);
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { ($(self.0.$index.await,)+) })
            }
        }
    )*};
}

joins! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}
