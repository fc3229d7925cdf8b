//! Who may share what.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The part of a key that keeps callers apart. Two callers share an entry only if theirs are equal,
/// by value.
#[derive(Clone)]
pub enum Partition {
    /// Callers without a token, all alike.
    Anonymous,
    /// Callers for whom all of this is equal.
    Of {
        /// Who vouches for them: the token's `iss`, as JSON text.
        issuer: Option<Box<[u8]>>,
        /// Who they are: the token's `sub`, as JSON text.
        subject: Option<Box<[u8]>>,
        /// What they may: the token's `scope` and `scp`, as JSON text.
        scopes: [Option<Box<[u8]>>; 2],
        /// Every claim that any template or expression reads, as JSON text, in the order in which
        /// the gateway lists them; `None`: the token lacks it.
        claims: Box<[Option<Box<[u8]>>]>,
        /// The token itself, where an upstream is sent it: what it answers may depend on all of it.
        token: Option<Box<[u8]>>,
    },
}

impl Partition {
    /// Everything that counts. A new field must be named here, and so cannot be forgotten.
    fn parts(&self) -> Option<impl Eq + Hash + '_> {
        match self {
            Self::Anonymous => None,
            Self::Of { issuer, subject, scopes, claims, token } => {
                Some((issuer, subject, scopes, claims, token))
            }
        }
    }
}

impl PartialEq for Partition {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Partition {}

impl Hash for Partition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

/// Whether there is someone, not who.
impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Partition::Anonymous",
            Self::Of { .. } => "Partition::Of(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Option<Box<[u8]>> {
        Some(json.as_bytes().into())
    }

    fn ada() -> Partition {
        Partition::Of {
            issuer: text(r#""https://id.example""#),
            subject: text(r#""ada""#),
            scopes: [text(r#""read""#), None],
            claims: Box::new([text("7"), None]),
            token: text("a.b.c"),
        }
    }

    #[test]
    fn callers_are_apart_if_any_part_differs() {
        let mut others = vec![Partition::Anonymous];
        let other_scopes = [[None, None], [text(r#""write""#), None], [None, text(r#""read""#)]];
        let other_claims: [Box<[_]>; 4] = [
            Box::new([]),
            Box::new([text("8"), None]),
            Box::new([text(r#""7""#), None]),
            Box::new([None, text("7")]),
        ];
        let change = |edit: &dyn Fn(&mut Partition)| {
            let mut other = ada();
            edit(&mut other);
            other
        };
        for new in [None, text(r#""https://evil.example""#)] {
            others.push(change(&|other| {
                if let Partition::Of { issuer, .. } = other {
                    issuer.clone_from(&new);
                }
            }));
            others.push(change(&|other| {
                if let Partition::Of { subject, .. } = other {
                    subject.clone_from(&new);
                }
            }));
        }
        for new in [None, text("a.b.d")] {
            others.push(change(&|other| {
                if let Partition::Of { token, .. } = other {
                    token.clone_from(&new);
                }
            }));
        }
        for new in other_scopes {
            others.push(change(&|other| {
                if let Partition::Of { scopes, .. } = other {
                    scopes.clone_from(&new);
                }
            }));
        }
        for new in other_claims {
            others.push(change(&|other| {
                if let Partition::Of { claims, .. } = other {
                    claims.clone_from(&new);
                }
            }));
        }
        assert_eq!(others.len(), 14);
        for (at, other) in others.iter().enumerate() {
            assert!(*other != ada(), "{at}");
        }
        assert!(ada() == ada() && Partition::Anonymous == Partition::Anonymous);
    }

    #[test]
    fn a_partition_does_not_print_who_it_is() {
        assert_eq!(
            format!("{:?} {:?}", ada(), Partition::Anonymous),
            "Partition::Of(..) Partition::Anonymous"
        );
    }
}
