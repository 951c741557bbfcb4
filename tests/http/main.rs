//! The whole program over HTTP.

mod api;
