//! The links that there are, by the options that JavaScript has for each.

use std::io;
use std::sync::Arc;

use napi_derive::napi;

use crate::cluster::bridge::Config;
use crate::cluster::link::Handle;
#[cfg(feature = "nats")]
use crate::cluster::link::Trouble;
#[cfg(feature = "nats")]
use crate::cluster::link::nats;
use crate::cluster::link::unix::UnixLink;
use crate::engine::mailbox::Wake;

/// Servers, and how this process proves its identity. Nothing of it is printed.
#[napi(object)]
pub struct NatsOptions {
    /// `nats://host:port` or `tls://host:port`, in the order in which they are tried.
    pub servers: Vec<String>,
    /// A token.
    pub token: Option<String>,
    /// A user name.
    pub user: Option<String>,
    /// Its password.
    pub pass: Option<String>,
    /// The seed of a key.
    pub nkey: Option<String>,
    /// Path of a file with a JWT and a seed.
    pub credentials: Option<String>,
    /// Every server must have TLS.
    pub tls_required: bool,
    /// TLS comes before anything that the server says.
    pub tls_first: bool,
    /// Path of the certificates of the authorities that may vouch for a server.
    pub ca: Option<String>,
    /// Path of the certificate of this process.
    pub cert: Option<String>,
    /// Path of its key.
    pub key: Option<String>,
}

/// Returns the schemes of URLs that there are links for.
#[napi(catch_unwind)]
pub fn link_schemes() -> Vec<&'static str> {
    let mut schemes = vec!["unix"];
    if cfg!(feature = "nats") {
        schemes.extend(["nats", "tls"]);
    }
    schemes
}

/// Opens the link that is asked for.
pub fn open(
    config: Config,
    max_event: usize,
    directory: Option<String>,
    servers: Option<NatsOptions>,
    notify: Arc<dyn Wake>,
) -> io::Result<Handle> {
    #[cfg(feature = "nats")]
    if let Some(servers) = servers {
        let open = move |config: &Config| {
            let options = servers.read(config)?;
            nats::NatsLink::open(config, options)
        };
        return Handle::open(config, max_event, open, notify);
    }
    if let Some(directory) = directory {
        let open = move |config: &Config| UnixLink::open(directory.into(), config.id);
        return Handle::open(config, max_event, open, notify);
    }
    #[cfg(not(feature = "nats"))]
    drop(servers);
    // `link_schemes` has said so.
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(feature = "nats")]
impl NatsOptions {
    fn read(self, config: &Config) -> Result<nats::Options, Trouble> {
        let identity = match &self {
            NatsOptions { credentials: Some(path), .. } => nats::Identity::Credentials(path.into()),
            NatsOptions { nkey: Some(seed), .. } => nats::Identity::Nkey(seed.clone()),
            NatsOptions { token: Some(token), .. } => nats::Identity::Token(token.clone()),
            NatsOptions { user: Some(user), pass, .. } => {
                nats::Identity::User(user.clone(), pass.clone().unwrap_or_default())
            }
            _ => nats::Identity::None,
        };
        nats::Options::new(
            config,
            &self.servers,
            identity,
            nats::Tls {
                is_required: self.tls_required,
                is_first: self.tls_first,
                ca: self.ca.map(Into::into),
                certificate: self.cert.zip(self.key).map(|(cert, key)| (cert.into(), key.into())),
            },
        )
    }
}
