//! Options of a link to servers. Files are read anew for each connection, because they may have changed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{AuthError, ConnectOptions, ServerAddr};
use nkeys::KeyPair;

use super::trouble::{FAILED, Trouble, UNREADABLE};
use crate::cluster::bridge::Config;

/// Time for a connection to a server to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longer than any client is kept that has lost its connection.
const NEVER: Duration = Duration::from_secs(3_600);

/// The part of the time after which a peer is gone, in which a server has to answer. Three times that are less than
/// the time: so a server that hangs is not the death of all peers.
const PINGS: u64 = 5;

/// How this process proves its identity. It is never printed.
#[derive(Clone, Default)]
pub enum Identity {
    /// It does not, or by its certificate.
    #[default]
    None,
    /// By a token.
    Token(String),
    /// By a user name and a password.
    User(String, String),
    /// By the seed of a key.
    Nkey(String),
    /// By a file with a JWT and a seed.
    Credentials(PathBuf),
}

/// Encryption. Each file is in the PEM format.
#[derive(Clone, Default)]
pub struct Tls {
    /// Every server must have it.
    pub is_required: bool,
    /// It comes before anything that the server says.
    pub is_first: bool,
    /// Certificates of the authorities that may vouch for a server; else the host's.
    pub ca: Option<PathBuf>,
    /// The certificate of this process, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Options of a link.
#[derive(Clone)]
pub struct Options {
    /// Servers, in the order in which they are tried.
    pub servers: Vec<ServerAddr>,
    /// Name of this process, for the people who look at the server.
    pub name: String,
    /// How this process proves its identity.
    pub identity: Identity,
    /// Encryption.
    pub tls: Tls,
    /// Time after which a server that says nothing is asked whether it is there. After three times that it is not.
    pub ping_every: Duration,
}

impl Options {
    /// Returns the options of a link to these servers.
    pub fn new(
        config: &Config,
        servers: &[String],
        identity: Identity,
        tls: Tls,
    ) -> Result<Self, Trouble> {
        let parse = |server: &String| {
            let wrong = |error| (FAILED, format!("{server} is no address of a server: {error}"));
            server.parse().map_err(wrong)
        };
        Ok(Options {
            servers: servers.iter().map(parse).collect::<Result<_, _>>()?,
            name: config.name.to_string(),
            identity,
            tls,
            ping_every: Duration::from_millis((config.peer_timeout / PINGS).max(1)),
        })
    }

    /// Returns the options of the client for one connection.
    pub fn of_client(&self) -> Result<ConnectOptions, Trouble> {
        let was_tried = AtomicBool::new(false);
        let mut options = ConnectOptions::new()
            .name(&self.name)
            // The link itself connects again, so that both sides know that a connection is new.
            .reconnect_delay_callback(move |_| {
                if was_tried.swap(true, Ordering::Relaxed) { NEVER } else { Duration::ZERO }
            })
            .ignore_discovered_servers()
            .skip_subject_validation(true)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(self.ping_every)
            .require_tls(self.tls.is_required);
        options = match &self.identity {
            Identity::None => options,
            Identity::Token(token) => options.token(token.clone()),
            Identity::User(user, pass) => options.user_and_password(user.clone(), pass.clone()),
            Identity::Nkey(seed) => options.nkey(seed.clone()),
            Identity::Credentials(path) => {
                let text = read("options.credentials", path)?;
                let (jwt, key) = credentials(&text).ok_or_else(|| {
                    let path = path.display();
                    let why = "has no JWT with its seed, as `nsc generate creds` writes them";
                    (UNREADABLE, format!("the file of options.credentials, {path}, {why}"))
                })?;
                options.jwt(jwt.to_owned(), move |nonce| {
                    let signed = key.sign(&nonce).map_err(AuthError::new);
                    async { signed }
                })
            }
        };
        if self.tls.is_first {
            options = options.tls_first();
        }
        if let Some(ca) = &self.tls.ca {
            read("options.tls.ca", ca)?;
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((certificate, key)) = &self.tls.certificate {
            read("options.tls.cert", certificate)?;
            read("options.tls.key", key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        Ok(options)
    }
}

/// Returns the JWT and the key of a file of credentials: each is the line after one of dashes and words. The client's
/// own parser would bring a library of regular expressions along, of half a megabyte.
fn credentials(text: &str) -> Option<(&str, KeyPair)> {
    let mut lines = text.lines().map(str::trim);
    let mut after = |words: &str| {
        lines.find(|line| line.starts_with("---") && line.contains(words))?;
        lines.next()
    };
    let (jwt, seed) = (after("JWT")?, after("SEED")?);
    Some((jwt, KeyPair::from_seed(seed).ok()?))
}

fn read(option: &str, path: &PathBuf) -> Result<String, Trouble> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        (UNREADABLE, format!("the file of {option}, {path}, cannot be read: {error}"))
    })
}
