//! What an executor is opened with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compiled::Workflow;
use crate::contract::{DefinitionError, Machine};
use crate::executor::OpenError;
use crate::limits::Limits;
use crate::retention::Retention;
use crate::tls::Tls;

/// What an executor is opened with: its workflows, and the settings of its provider.
///
/// ```
/// use workflow::prelude::*;
///
/// #[workflow]
/// async fn nothing() -> Result<(), WorkflowError> {
///     Ok(())
/// }
///
/// let config = Config::new().path("data").register::<nothing>();
/// ```
///
/// A setting that the provider has no use for is an error when it is opened.
#[derive(Clone, Debug, Default)]
pub struct Config {
    path: Option<PathBuf>,
    server: ServerConfig,
    machines: Vec<Result<Machine, DefinitionError>>,
    limits: Limits,
    retention: Retention,
}

/// For providers: the settings of [`Config`] for a server.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ServerConfig {
    /// [`Config::host`].
    pub host: Option<String>,
    /// [`Config::namespace`].
    pub namespace: Option<String>,
    /// [`Config::task_queue`].
    pub task_queue: Option<String>,
    /// [`Config::tls`].
    pub tls: Option<Tls>,
    /// [`Config::api_key`].
    pub api_key: Option<String>,
    /// [`Config::client_only`].
    pub client_only: bool,
    /// [`Config::cached_runs`].
    pub cached_runs: Option<usize>,
    /// [`Config::heartbeat_timeout`].
    pub heartbeat_timeout: Option<Duration>,
}

/// Without the key.
impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("host", &self.host)
            .field("namespace", &self.namespace)
            .field("task_queue", &self.task_queue)
            .field("tls", &self.tls)
            .field("api_key", &self.api_key.is_some())
            .field("client_only", &self.client_only)
            .field("cached_runs", &self.cached_runs)
            .field("heartbeat_timeout", &self.heartbeat_timeout)
            .finish()
    }
}

impl Config {
    /// No workflows, and every setting at its default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The directory of the embedded engine's data; it is made if it is not there.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The server that runs are kept on, for the provider `"temporal"`: `"localhost:7233"`, which
    /// is the default, or an address with `http://` or `https://`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.server.host = Some(host.into());
        self
    }

    /// The server's namespace, for the provider `"temporal"`; `"default"` without it.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.server.namespace = Some(namespace.into());
        self
    }

    /// The queue by which runs and their workers find each other, for the provider `"temporal"`,
    /// which needs it. All workers of one queue register the same workflows.
    #[must_use]
    pub fn task_queue(mut self, task_queue: impl Into<String>) -> Self {
        self.server.task_queue = Some(task_queue.into());
        self
    }

    /// Secures the connection to the server.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.server.tls = Some(tls);
        self
    }

    /// The key that the server knows this program by. The connection is then secured also without
    /// [`tls`](Self::tls).
    #[must_use]
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.server.api_key = Some(api_key.into());
        self
    }

    /// Starts runs on the server and talks to them, and leaves it to other processes to execute
    /// them. The registered workflows are those whose runs it knows the types of.
    #[must_use]
    pub fn client_only(mut self) -> Self {
        self.server.client_only = true;
        self
    }

    /// How many runs this worker of a server keeps in memory, to go on with; the others are read
    /// from the server again when something happens to them. 1,000 without it.
    #[must_use]
    pub fn cached_runs(mut self, runs: usize) -> Self {
        self.server.cached_runs = Some(runs);
        self
    }

    /// After so long without a sign of its worker, a server takes an attempt of an activity for
    /// lost: its process has died, or the two have not reached each other all the while. At least
    /// a second; a minute without it. A shorter time finds a dead process sooner, a longer one
    /// lets attempts outlive a longer outage.
    ///
    /// Workers give their signs by themselves. It holds for the activities that this worker's runs
    /// begin.
    #[must_use]
    pub fn heartbeat_timeout(mut self, timeout: Duration) -> Self {
        self.server.heartbeat_timeout = Some(timeout);
        self
    }

    /// What runs may take; the defaults of [`Limits`] otherwise.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is removed in time; everything is kept otherwise.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// A workflow that this executor runs. Its activities and its children come with it.
    #[must_use]
    pub fn register<W: Workflow>(mut self) -> Self {
        self.machines.push(Machine::of::<W>());
        self
    }

    /// For providers: the directory, if one was given.
    #[must_use]
    pub fn data_path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// For providers: the settings for a server.
    #[must_use]
    pub fn server(&self) -> &ServerConfig {
        &self.server
    }

    /// For providers: refuses the settings that they have no use for.
    ///
    /// # Errors
    /// When a setting is given that is not among these, by the names of its methods.
    pub fn only(&self, provider: &str, settings: &[&str]) -> Result<(), OpenError> {
        let server = &self.server;
        let given = [
            ("path", self.path.is_some()),
            ("host", server.host.is_some()),
            ("namespace", server.namespace.is_some()),
            ("task_queue", server.task_queue.is_some()),
            ("tls", server.tls.is_some()),
            ("api_key", server.api_key.is_some()),
            ("client_only", server.client_only),
            ("cached_runs", server.cached_runs.is_some()),
            ("heartbeat_timeout", server.heartbeat_timeout.is_some()),
            ("limits", self.limits != Limits::default()),
            ("retention", self.retention != Retention::default()),
        ];
        let useless = |(name, given): &&(&str, bool)| *given && !settings.contains(name);
        match given.iter().find(useless) {
            None => Ok(()),
            Some((name, _)) => Err(OpenError::Config(format!(
                "provider `{provider}` has no use for `Config::{name}`; it takes: {}",
                settings.join(", ")
            ))),
        }
    }

    /// For providers: what runs may take.
    #[must_use]
    pub fn run_limits(&self) -> Limits {
        self.limits
    }

    /// For providers: what is removed in time.
    #[must_use]
    pub fn run_retention(&self) -> Retention {
        self.retention
    }

    /// For providers: the machines of the registered workflows and of their children.
    ///
    /// # Errors
    /// When a workflow contradicts itself, or two have one name.
    pub fn machines(&self) -> Result<Vec<Machine>, OpenError> {
        let mut machines: Vec<Machine> = Vec::with_capacity(self.machines.len());
        for machine in &self.machines {
            let machine = machine.clone()?;
            let name = machine.definition().name;
            if machines.iter().any(|known| known.definition().name == name) {
                return Err(OpenError::SameName { name });
            }
            machines.push(machine);
        }
        let mut next = 0;
        while let Some(machine) = machines.get(next) {
            for child in machine.definition().children.clone() {
                let mut known = machines.iter().map(Machine::definition);
                match known.find(|known| known.name == child.name) {
                    Some(known) if known.ty() != child.ty => {
                        return Err(OpenError::SameName { name: child.name });
                    }
                    Some(_) => {}
                    None => machines.push((child.machine)()?),
                }
            }
            next += 1;
        }
        Ok(machines)
    }
}
