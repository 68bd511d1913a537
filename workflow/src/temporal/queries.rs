//! What a worker answers about a run.

use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::codec;
use crate::contract::SavedState;
use crate::executor::Error;
use crate::status::Status;

use super::host::Host;
use super::payloads;
use super::standing::Standing;

/// The queries that anyone may ask, as the embedded engine has them.
pub(super) const NAMES: [&str; 3] = ["status", "result", "state"];

/// The query by which an executor asks for the [`Standing`] of a run.
pub(super) const STANDING: &str = "__workflow_standing";

/// The number is that of its form.
const ENCODING: &str = "binary/workflow-standing-1";

/// The answer to a query, from a run in flight or one that is read again after its end.
pub(super) fn answer(host: &Host, name: &str) -> Result<Payload, Error> {
    let standing = host.standing();
    let in_flight = standing.as_deref().filter(|standing| !standing.run.ended);
    Ok(match name {
        "state" => payloads::json(&match in_flight {
            Some(Standing { run, .. }) => {
                SavedState::new(host.code().machine(), &run.frames)?.to_json()?
            }
            None => serde_json::Value::Null,
        }),
        "status" if in_flight.is_some() => payloads::json(&serde_json::json!(Status::Running)),
        "result" if in_flight.is_some() => payloads::json(&serde_json::Value::Null),
        // What has ended is the server's to say.
        "status" | "result" => {
            return Err(Error::Server(format!(
                "the run has ended: ask the server for its {name} (`temporal workflow describe`, `temporal workflow result`)"
            )));
        }
        STANDING => payloads::of(ENCODING, codec::encode_record(&in_flight)?),
        name => {
            return Err(Error::UnknownQuery {
                name: name.to_owned(),
            });
        }
    })
}

/// The answer to [`STANDING`]; nothing of a run that has ended.
pub(super) fn standing(answer: &Payload) -> Result<Option<Standing>, Error> {
    Ok(codec::decode_record(&answer.data)?)
}
