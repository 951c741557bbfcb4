//! Leaves of the tree that say of one field what a piece of text says, by the field's kind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;

use crate::{Field, FieldKind, MatchMode, Query, Scalar, values};

/// The field has this value, as Elasticsearch's `match` means it; dates are left to the caller.
///
/// What cannot be a value of the field matches nothing.
pub(crate) fn value(field: Field, kind: FieldKind, text: &str, mode: MatchMode) -> Query {
    let scalar = match kind {
        FieldKind::Text => return Query::Match { field, text: text.to_owned(), mode, prefix: false },
        FieldKind::Keyword | FieldKind::Flattened => Some(Scalar::Text(text.to_owned())),
        FieldKind::Number => values::number(text).map(Scalar::Number),
        FieldKind::Boolean => values::boolean(text).map(Scalar::Boolean),
        FieldKind::Ip => return address(field, text),
        FieldKind::Date | FieldKind::Nested => None,
    };
    scalar.map_or(Query::MatchNone, |value| Query::Term { field, value })
}

/// An address, or a block of addresses (`10.0.0.0/8`).
fn address(field: Field, text: &str) -> Query {
    match text.split_once('/') {
        None => match text.parse() {
            Ok(address) => Query::Term { field, value: Scalar::Ip(address) },
            Err(_) => Query::MatchNone,
        },
        Some((network, length)) => match block(network, length) {
            Some((first, last)) => Query::Range {
                field,
                lower: Bound::Included(Scalar::Ip(first)),
                upper: Bound::Included(Scalar::Ip(last)),
            },
            None => Query::MatchNone,
        },
    }
}

fn block(network: &str, length: &str) -> Option<(IpAddr, IpAddr)> {
    let length: u32 = length.parse().ok()?;
    match network.parse().ok()? {
        IpAddr::V4(network) if length <= 32 => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            let bits = network.to_bits();
            Some((Ipv4Addr::from_bits(bits & !host).into(), Ipv4Addr::from_bits(bits | host).into()))
        }
        IpAddr::V6(network) if length <= 128 => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            let bits = network.to_bits();
            Some((Ipv6Addr::from_bits(bits & !host).into(), Ipv6Addr::from_bits(bits | host).into()))
        }
        _ => None,
    }
}
