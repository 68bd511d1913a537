//! Arguments of a call. A call that is kept across an await is saved with them, if they could be encoded.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};

use crate::codec::{CodecError, Sealed};

type Arguments = Result<Vec<Sealed>, CodecError>;

pub(crate) fn serialize<S: Serializer>(
    arguments: &Arguments,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match arguments {
        Ok(arguments) => arguments.serialize(serializer),
        Err(error) => Err(S::Error::custom(error)),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arguments, D::Error> {
    Vec::deserialize(deserializer).map(Ok)
}
