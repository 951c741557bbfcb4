//! What of the settings the wiring takes.

use super::Settings;
use crate::API_VERSION;
use crate::wiring::Config;
use ikebana_http::HttpSettings;
use ikebana_secrets::Secret;

impl Settings {
    /// The program's configuration; `password` is the superuser's at the first start.
    pub fn config(self, password: Option<Secret>) -> Config {
        Config {
            host: self.host,
            port: self.port,
            data: self.data,
            uuid: self.uuid,
            http: HttpSettings { version: API_VERSION.to_owned(), ..self.http },
            spaces: self.spaces,
            encryption_key: self.encryption_key,
            decryption_only_keys: self.decryption_only_keys,
            anonymous_status: self.anonymous_status,
            anonymous_metrics: self.anonymous_metrics,
            password,
        }
    }
}
