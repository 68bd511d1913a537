//! What a worker answers about a run.

use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::codec;
use crate::contract::{SavedState, Snapshot};
use crate::executor::Error;
use crate::status::Status;

use super::host::Host;
use super::payloads;

/// The queries that anyone may ask, as the embedded engine has them.
pub(super) const NAMES: [&str; 3] = ["status", "result", "state"];

/// The query by which an executor asks for [`Run::frames`](crate::contract::Run::frames).
pub(super) const FRAMES: &str = "__workflow_frames";

const ENCODING: &str = "binary/workflow-frames-1";

/// The answer to a query, from a run in flight or one that is read again after its end.
pub(super) fn answer(host: &Host, name: &str) -> Result<Payload, Error> {
    let run = host.run();
    let frames = run.as_ref().filter(|run| !run.ended).map(|run| &run.frames);
    Ok(match name {
        "state" => payloads::json(&match frames {
            Some(frames) => SavedState::new(host.code().machine(), frames)?.to_json()?,
            None => serde_json::Value::Null,
        }),
        "status" if frames.is_some() => payloads::json(&serde_json::json!(Status::Running)),
        "result" if frames.is_some() => payloads::json(&serde_json::Value::Null),
        // What has ended is the server's to say.
        "status" | "result" => return Err(Error::Server(format!(
            "the run has ended: ask the server for its {name} (`temporal workflow describe`, `temporal workflow result`)"
        ))),
        FRAMES => payloads::of(ENCODING, codec::encode_record(&frames)?),
        name => return Err(Error::UnknownQuery { name: name.to_owned() }),
    })
}

/// The answer to [`FRAMES`].
pub(super) fn frames(answer: &Payload) -> Result<Option<Vec<Snapshot>>, Error> {
    Ok(codec::decode_record(&answer.data)?)
}
