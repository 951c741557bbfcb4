//! What the HTTP side is told by `kibana.yml` (`server.*`).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of the HTTP side; the defaults are Kibana's.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// `server.name`, header `kbn-name`.
    pub name: String,
    /// The version that the server says it is, `8.19.x`.
    pub version: String,
    /// `server.basePath`, empty or starting with a slash.
    pub base_path: String,
    /// `server.rewriteBasePath`.
    pub rewrite_base_path: bool,
    /// `server.maxPayload`, bytes.
    pub max_payload: u64,
    /// `server.socketTimeout`: the deadline of a request, and how long a connection is kept on which an answer
    /// is not read.
    pub socket_timeout: Duration,
    /// `server.payloadTimeout`: how long a body may take to arrive.
    pub payload_timeout: Duration,
    /// `server.keepaliveTimeout`: how long an idle connection is kept.
    pub keepalive_timeout: Duration,
    /// `server.shutdownTimeout`: how long requests in hand may take when the server stops.
    pub shutdown_timeout: Duration,
    /// `server.xsrf.disableProtection`.
    pub xsrf_disabled: bool,
    /// `server.xsrf.allowlist`.
    pub xsrf_allowlist: Vec<String>,
    /// `server.restrictInternalApis`.
    pub restrict_internal: bool,
    /// `server.versioned.strictClientVersionCheck`.
    pub strict_client_version: bool,
    /// `server.requestId.allowFromAnyIp`.
    pub request_id_from_any: bool,
    /// `server.requestId.ipAllowlist`.
    pub request_id_from: Vec<IpAddr>,
    /// `server.oas.enabled`.
    pub oas_enabled: bool,
    /// Headers of every answer, in order: security, custom, content security policy. A name that is there
    /// several times is sent as often.
    pub headers: Vec<(String, String)>,
    /// `server.cors.*`; `None`: off.
    pub cors: Option<CorsSettings>,
    /// `server.compression.enabled`.
    pub compression: bool,
    /// `server.compression.brotli.enabled`.
    pub brotli: bool,
    /// `server.compression.referrerWhitelist`; empty: not looked at.
    pub compression_referrers: Vec<String>,
    /// `server.ssl.*`; `None`: off.
    pub tls: Option<TlsSettings>,
    /// Requests in hand at once. More are refused with 503.
    pub max_requests: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            name: "ikebana".to_owned(),
            version: "8.19.0".to_owned(),
            base_path: String::new(),
            rewrite_base_path: false,
            max_payload: 1_048_576,
            socket_timeout: Duration::from_secs(120),
            payload_timeout: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(120),
            shutdown_timeout: Duration::from_secs(30),
            xsrf_disabled: false,
            xsrf_allowlist: Vec::new(),
            restrict_internal: false,
            strict_client_version: true,
            request_id_from_any: false,
            request_id_from: Vec::new(),
            oas_enabled: false,
            headers: default_headers(),
            cors: None,
            compression: true,
            brotli: false,
            compression_referrers: Vec::new(),
            tls: None,
            max_requests: 1024,
        }
    }
}

/// The defaults of `server.securityResponseHeaders.*`, and the content security policies.
pub fn default_headers() -> Vec<(String, String)> {
    [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        (
            "permissions-policy",
            "camera=(), display-capture=(), fullscreen=(self), geolocation=(), microphone=(), web-share=()",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "content-security-policy",
            "script-src 'report-sample' 'self'; worker-src 'report-sample' 'self' blob:; \
             style-src 'report-sample' 'self' 'unsafe-inline'",
        ),
        (
            "content-security-policy-report-only",
            "form-action 'report-sample' 'self'; object-src 'report-sample' 'none'",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// `server.cors.*`.
#[derive(Clone, Debug)]
pub struct CorsSettings {
    /// `allowCredentials`.
    pub allow_credentials: bool,
    /// `allowOrigin`; `*`: any.
    pub allow_origin: Vec<String>,
}

/// `server.ssl.*`, already read from its files.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// The chain, own certificate first, DER.
    pub certificates: Vec<Vec<u8>>,
    /// The private key, DER of PKCS#8, PKCS#1 or SEC1.
    pub key: PrivateKey,
    /// Who may have signed client certificates, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Whether clients show a certificate.
    pub client_authentication: ClientAuthentication,
    /// TLS 1.2 allowed.
    pub tls12: bool,
    /// TLS 1.3 allowed.
    pub tls13: bool,
    /// `redirectHttpFromPort`.
    pub redirect_from_port: Option<u16>,
    /// The file that was read, for messages.
    pub source: PathBuf,
}

/// A private key that does not print.
#[derive(Clone)]
pub struct PrivateKey(pub Vec<u8>);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `server.ssl.clientAuthentication`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Not asked for.
    None,
    /// Checked where shown.
    Optional,
    /// Needed.
    Required,
}
