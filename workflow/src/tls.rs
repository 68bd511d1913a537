//! How a connection to a server is secured.

use std::fmt;

/// How a connection to a server is secured, for [`Config::tls`](crate::Config::tls). All texts are
/// PEM.
///
/// ```
/// use workflow::Tls;
///
/// # fn read(path: &str) -> Vec<u8> { path.into() }
/// let tls = Tls::new()
///     .client_certificate(read("client.pem"), read("client.key"))
///     .server_ca(read("ca.pem"))
///     .server_name("temporal.internal");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    pub(crate) server_ca: Option<Vec<u8>>,
    pub(crate) server_name: Option<String>,
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// The certificate authorities of this machine, and no client certificate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The certificate authority that the server's certificate is checked against, instead of
    /// those of this machine.
    #[must_use]
    pub fn server_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.server_ca = Some(pem.into());
        self
    }

    /// The name that the server's certificate must be of, where it is not that of the host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The certificate that this program shows the server, and its private key.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        private_key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client = Some((certificate.into(), private_key.into()));
        self
    }
}

/// Without the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("server_ca", &self.server_ca.is_some())
            .field("server_name", &self.server_name)
            .field("client_certificate", &self.client.is_some())
            .finish()
    }
}
