//! security_api
