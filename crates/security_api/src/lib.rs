//! Users, and who one is: `/internal/security/…` (`http-core.md` §3).

mod routes;

pub use routes::routes;
