//! Users, and who one is: `/internal/security/…`, as Kibana's server source, 8.19, has them.

mod routes;

pub use routes::routes;
