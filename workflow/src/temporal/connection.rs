//! The way to the server.

use std::time::Duration;

use temporalio_client::errors::ClientConnectError;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Request, Status};
use temporalio_client::{
    Client, ClientOptions, ClientTlsOptions, ConnectionOptions, MESSAGE_TOO_LARGE_KEY, RpcOptions,
    TlsOptions, Url,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;

use crate::config::{Config, ServerConfig};
use crate::executor::{Error, OpenError};

/// How long a request may take before the server counts as out of reach.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before asking a server again that was out of reach.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How many bytes of payloads a server takes at once that does not tell: the default of servers.
pub(super) const PAYLOAD_BYTES: usize = 2 << 20;

const HOST: &str = "localhost:7233";
const NAMESPACE: &str = "default";

/// Where a server is, and what it is asked for.
#[derive(Clone)]
pub(super) struct Target {
    options: ConnectionOptions,
    pub(super) host: String,
    pub(super) namespace: String,
    pub(super) task_queue: String,
}

impl Target {
    /// What the settings say.
    ///
    /// # Errors
    /// When one is missing or no address.
    pub(super) fn of(config: &Config) -> Result<Self, OpenError> {
        let server = config.server();
        let task_queue = server.task_queue.clone().ok_or_else(|| {
            OpenError::Config(
                "provider `temporal` needs to know by which queue runs and their workers find each other: `Config::new().task_queue(\"…\")`"
                    .to_owned(),
            )
        })?;
        let host = server.host.clone().unwrap_or_else(|| HOST.to_owned());
        Ok(Self {
            options: options(server, &host)?,
            host,
            namespace: server
                .namespace
                .clone()
                .unwrap_or_else(|| NAMESPACE.to_owned()),
            task_queue,
        })
    }

    /// Connects. Connections belong to the runtime that they are made on.
    ///
    /// # Errors
    /// When the server is not there, or does not let us in.
    pub(super) async fn connect(&self) -> Result<Client, OpenError> {
        let client_options = ClientOptions::new(self.namespace.as_str()).build();
        let connecting = Client::connect(self.options.clone(), client_options);
        match tokio::time::timeout(REQUEST_TIMEOUT, connecting).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(self.refused(&error)),
            Err(_) => Err(self.unreachable(&format!("no answer within {REQUEST_TIMEOUT:?}"))),
        }
    }

    /// Looks whether the namespace is there, and gives how many bytes of payloads it takes at once.
    ///
    /// # Errors
    /// When it is not, or the server does not answer.
    pub(super) async fn check_namespace(&self, client: &mut Client) -> Result<usize, OpenError> {
        let mut request = Request::new(DescribeNamespaceRequest {
            namespace: self.namespace.clone(),
            ..Default::default()
        });
        request.set_timeout(REQUEST_TIMEOUT);
        match client.describe_namespace(request).await {
            Ok(described) => {
                let limits = described
                    .into_inner()
                    .namespace_info
                    .and_then(|it| it.limits);
                let told = limits.and_then(|it| usize::try_from(it.blob_size_limit_error).ok());
                Ok(told.filter(|&told| told > 0).unwrap_or(PAYLOAD_BYTES))
            }
            Err(status) if status.code() == Code::NotFound => Err(OpenError::Server(format!(
                "the server at `{}` has no namespace `{}`; make it (`temporal operator namespace create`) or set another: `Config::namespace`",
                self.host, self.namespace
            ))),
            // Who may not look may still be let in.
            Err(status) if status.code() == Code::PermissionDenied => Ok(PAYLOAD_BYTES),
            Err(status) => Err(OpenError::Server(self.explain(&status))),
        }
    }

    /// What went wrong between us and the server, and what to do.
    pub(super) fn error(&self, status: &Status) -> Error {
        Error::Server(self.explain(status))
    }

    fn explain(&self, status: &Status) -> String {
        let (host, message) = (&self.host, status.message());
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => format!(
                "the server at `{host}` does not let this program in: {message}; check `Config::api_key`, `Config::tls` and `Config::namespace`"
            ),
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                format!("the server at `{host}` cannot be reached: {message}")
            }
            code => format!("the server at `{host}` refused the request ({code:?}): {message}"),
        }
    }

    fn refused(&self, error: &ClientConnectError) -> OpenError {
        match error {
            // A server that refuses our certificate may just hang up.
            ClientConnectError::SystemInfoCallError(status)
                if !matches!(
                    status.code(),
                    Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded
                ) =>
            {
                OpenError::Server(self.explain(status))
            }
            error => self.unreachable(&causes(error)),
        }
    }

    fn unreachable(&self, reason: &str) -> OpenError {
        OpenError::Server(format!(
            "the server at `{}` cannot be reached: {reason}; is it started, and `Config::host` right? With TLS, check `Config::tls` and `Config::api_key`",
            self.host
        ))
    }
}

/// With a limit to how long a request may take.
pub(super) fn rpc_options() -> RpcOptions {
    RpcOptions::builder().timeout(REQUEST_TIMEOUT).build()
}

/// Whether the server may not even have heard what it was asked, or hears too much to listen.
pub(super) fn is_out_of_reach(error: &Status) -> bool {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => true,
        // The client marks what will be too large again.
        Code::ResourceExhausted => !error.metadata().contains_key(MESSAGE_TOO_LARGE_KEY),
        _ => false,
    }
}

/// An error with what is behind it; those of the client tell the reason there.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn options(server: &ServerConfig, host: &str) -> Result<ConnectionOptions, OpenError> {
    let is_secured = server.tls.is_some() || server.api_key.is_some();
    let scheme = if is_secured { "https" } else { "http" };
    let address = match host.contains("://") {
        true => host.to_owned(),
        false => format!("{scheme}://{host}"),
    };
    let target: Url = address.parse().map_err(|error| {
        OpenError::Config(format!(
            "`{host}` is no address ({error}); it is written `Config::host(\"localhost:7233\")`"
        ))
    })?;
    if is_secured && target.scheme() != "https" {
        return Err(OpenError::Config(format!(
            "`{host}` asks for a connection that is not secured, and `Config::tls` or `Config::api_key` for one that is: \
             write `https://`, or the address alone"
        )));
    }
    // An address alone may ask for a secured connection, too.
    let tls = (is_secured || target.scheme() == "https").then(|| {
        let tls = server.tls.clone().unwrap_or_default();
        let client = tls.client.map(|(certificate, private_key)| {
            ClientTlsOptions::builder()
                .client_cert(certificate)
                .client_private_key(private_key)
                .build()
        });
        TlsOptions::builder()
            .maybe_server_root_ca_cert(tls.server_ca)
            .maybe_domain(tls.server_name)
            .maybe_client_tls_options(client)
            .build()
    });
    Ok(ConnectionOptions::new(target)
        .identity(format!("workflow@{}", std::process::id()))
        .connect_timeout(REQUEST_TIMEOUT)
        .maybe_tls_options(tls)
        .maybe_api_key(server.api_key.clone())
        .build())
}
