//! What holds for every route.

mod api_version;
mod authentication;
mod base_path;
mod client_version;
mod compression;
mod cors;
mod errors;
mod headers;
mod internal_routes;
mod load;
mod order;
mod passwords;
mod payload;
mod routing;
mod shutdown;
mod spaces_in_paths;
mod tls;
mod unread;
mod validation;
mod xsrf;
