//! ikebana
