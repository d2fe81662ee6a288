//! Troubles of a connection, in words, with a code. No secret is in them: the client is not asked for any.

use std::error::Error;
use std::io;

use async_nats::rustls::{self, CertificateError};
use async_nats::{ConnectError, ConnectErrorKind, ServerAddr, ServerError};

use super::options::{CONNECT_TIMEOUT, Identity};

/// A code, and the reason.
pub type Trouble = (&'static str, String);

/// The host has no address.
pub const HOST_UNKNOWN: &str = "ERR_LINK_HOST_UNKNOWN";
/// Nothing listens there.
pub const REFUSED: &str = "ERR_LINK_REFUSED";
/// The server did not answer in time.
pub const TIMEOUT: &str = "ERR_LINK_TIMEOUT";
/// The server does not accept the identity of this process.
pub const UNAUTHORIZED: &str = "ERR_LINK_UNAUTHORIZED";
/// The server's identity was not proven to this process, or the other way round.
pub const TLS: &str = "ERR_LINK_TLS";
/// The server does not allow a subject.
pub const FORBIDDEN: &str = "ERR_LINK_FORBIDDEN";
/// A file cannot be used.
pub const UNREADABLE: &str = "ERR_LINK_FILE";
/// Something else.
pub const FAILED: &str = "ERR_LINK_FAILED";

/// Returns the name of a server.
pub fn name(server: &ServerAddr) -> String {
    let host = server.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{host}:{}", server.port())
}

/// Tells why no connection was made.
pub fn of_connect(server: &ServerAddr, identity: &Identity, error: &ConnectError) -> Trouble {
    let (code, why) = match error.kind() {
        ConnectErrorKind::Dns => {
            (HOST_UNKNOWN, format!("the host name cannot be resolved: {}", innermost(error)))
        }
        ConnectErrorKind::TimedOut => {
            (TIMEOUT, format!("no answer of a NATS server within {CONNECT_TIMEOUT:?}"))
        }
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            (UNAUTHORIZED, refusal(identity).to_owned())
        }
        _ => of_cause(error),
    };
    (code, format!("{}: {why}", name(server)))
}

fn refusal(identity: &Identity) -> &'static str {
    match identity {
        Identity::None => {
            "the server wants to know who connects, by token, user and pass, nkey, credentials, or \
             tls.cert"
        }
        Identity::Token(_) => "the server does not accept the token",
        Identity::User(..) => "the server does not accept user and pass",
        Identity::Nkey(_) => "the server does not accept the nkey, or it is no seed",
        Identity::Credentials(_) => {
            "the server does not accept the credentials: they may be expired, revoked, or of \
             another account"
        }
    }
}

fn of_cause(error: &ConnectError) -> (&'static str, String) {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = inner.and_then(|error| error.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls.or_else(|| error.downcast_ref()) {
            return (TLS, of_tls(tls));
        }
        if let Some(ServerError::Other(words)) = error.downcast_ref::<ServerError>() {
            return (FAILED, format!("the server says: {words}"));
        }
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::ConnectionRefused) {
            return (REFUSED, "connection refused: is a server running there?".to_owned());
        }
        cause = error.source();
    }
    let code = if error.kind() == ConnectErrorKind::Tls { TLS } else { FAILED };
    (code, innermost(error))
}

fn of_tls(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate};
    match error {
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the server's certificate is of an unknown issuer: name its CA as options.tls.ca"
                .to_owned()
        }
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the server's certificate is for another host name".to_owned(),
        InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the server's certificate has expired".to_owned()
        }
        AlertReceived(alert) => format!(
            "the server has ended the handshake ({alert:?}): it may not accept options.tls.cert, or \
             want one"
        ),
        other => other.to_string(),
    }
}

/// Returns the trouble that the server tells of. A slow consumer is none: messages are sent again.
pub fn of_server(server: &ServerAddr, error: &ServerError) -> Option<Trouble> {
    let name = name(server);
    match error {
        ServerError::AuthorizationViolation => Some((
            UNAUTHORIZED,
            format!("{name}: the server does not accept this process any more"),
        )),
        ServerError::SlowConsumer(_) => None,
        ServerError::Other(words) => Some(match forbidden(words) {
            Some((what, subject)) => (
                FORBIDDEN,
                format!(
                    "{name}: the server does not allow this process to {what} the subject {subject}"
                ),
            ),
            None => (FAILED, format!("{name}: the server says: {words}")),
        }),
    }
}

/// Reads `Permissions Violation for Subscription to "subject"`.
fn forbidden(words: &str) -> Option<(&'static str, String)> {
    let of = words.strip_prefix("Permissions Violation for ")?;
    let (what, subject) = of.split_once(" to ")?;
    let what = if what.starts_with("Pub") { "publish on" } else { "subscribe to" };
    let subject = subject.trim_start_matches('"').split('"').next()?;
    Some((what, subject.to_owned()))
}

fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
