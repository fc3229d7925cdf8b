//! Whom something is allowed.

use std::sync::Arc;

use super::Identity;
use crate::template::Condition;

/// Whom something is allowed.
#[derive(Debug, Clone, Default)]
pub enum Permission {
    /// Nobody.
    #[default]
    Nobody,
    /// Everybody.
    Everybody,
    /// Callers with a token for whose claims this is true.
    Callers(Arc<Condition>),
}

impl Permission {
    /// Whether this caller is one of them. Who has no claims never is, whatever a condition says of
    /// claims that are missing; nor is one of whom the condition is neither true nor false.
    #[must_use]
    pub fn includes(&self, identity: &Identity) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Callers(condition) => {
                identity.claims().is_some_and(|claims| condition.holds(claims).unwrap_or(false))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::json::Body;

    fn caller(claims: &'static str) -> Identity {
        let claims = Body::parse(Bytes::from_static(claims.as_bytes())).unwrap();
        Identity { claims: Some(claims), ..Identity::anonymous() }
    }

    #[test]
    fn only_true_is_yes() {
        for (condition, claims, is_allowed) in [
            ("claims.team == 'platform'", r#"{"team": "platform"}"#, true),
            ("claims.team == 'platform'", r#"{"team": "sales"}"#, false),
            ("claims.team == 'platform'", r#"{"team": null}"#, false),
            ("claims.team == 'platform'", r#"{"team": ["platform"]}"#, false),
            ("claims.team == 'platform'", r#"{}"#, false),
            // There is no text that a missing claim could begin with, and no list that it could be.
            ("claims.team.startsWith('plat')", r#"{"team": "platform"}"#, true),
            ("claims.team.startsWith('plat')", r#"{}"#, false),
            ("'ops' in claims.groups", r#"{"groups": ["ops", "dev"]}"#, true),
            ("'ops' in claims.groups", r#"{"groups": "ops"}"#, false),
            ("'ops' in claims.groups", r#"{}"#, false),
            ("claims.team.name == 'ops' || claims.admin", r#"{"admin": true}"#, true),
            ("claims.admin", r#"{"admin": true}"#, true),
            ("claims.admin", r#"{"admin": "true"}"#, false),
            ("claims.admin", r#"{"admin": 1}"#, false),
            ("claims.admin", r#"{"admin": null}"#, false),
            ("claims.admin", r#"{}"#, false),
            (
                "claims['https://shop.example/team'] == 1",
                r#"{"https://shop.example/team": 1}"#,
                true,
            ),
            ("10 / claims.level > 1", r#"{"level": 0}"#, false),
        ] {
            let permission = Permission::Callers(Arc::new(Condition::parse(condition).unwrap()));
            assert_eq!(permission.includes(&caller(claims)), is_allowed, "{condition} of {claims}");
            assert!(!permission.includes(&Identity::anonymous()), "{condition} of nobody");
        }
    }

    #[test]
    fn who_has_no_token_is_not_allowed_by_what_is_missing() {
        for condition in ["claims.team != 'guests'", "!has(claims.guest)", "claims.sub == null"] {
            let permission = Permission::Callers(Arc::new(Condition::parse(condition).unwrap()));
            assert!(permission.includes(&caller("{}")), "{condition}");
            assert!(!permission.includes(&Identity::anonymous()), "{condition}");
        }
        assert!(Permission::Everybody.includes(&Identity::anonymous()));
        assert!(!Permission::Nobody.includes(&caller("{}")));
    }
}
