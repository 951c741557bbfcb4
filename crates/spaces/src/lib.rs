//! Spaces: `/api/spaces/space` and what belongs to it.

mod model;
mod routes;
mod service;

pub use model::{SpacesSettings, space_schema};
pub use routes::routes;
pub use service::{SpaceError, Spaces};
