//! What a client has of a response that comes in pieces, at one place of it: nothing may be added
//! below a null that was sent (specification section 6.4.4: it stands for all below it).

use crate::json::Value;

/// The values that pieces have at one place.
#[derive(Default)]
pub(super) struct Sent<'r>(Vec<Value<'r>>);

impl<'r> Sent<'r> {
    /// What these pieces have at the root.
    pub(super) fn at_root(pieces: impl Iterator<Item = Value<'r>>) -> Self {
        Self(pieces.collect())
    }

    /// Whether one of them has null here.
    pub(super) fn is_null(&self) -> bool {
        self.0.iter().any(|value| value.is_null())
    }

    /// What they have under a key of this place. A null that only leads on was not sent.
    pub(super) fn member(&self, key: &str) -> Self {
        if self.0.is_empty() {
            return Self::default();
        }
        let leading = format!("@{key}");
        let led = |value: &Value<'r>| value.get(&leading).filter(|it| !it.is_null());
        let below = self.0.iter().flat_map(|value| value.get(key).into_iter().chain(led(value)));
        Self(below.collect())
    }

    /// What they have as an item of this place.
    pub(super) fn item(&self, index: u32) -> Self {
        Self(self.0.iter().filter_map(|value| value.items().nth(index as usize)).collect())
    }

    /// The same for each item in turn, without an end.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + use<'r> {
        let mut items: Vec<_> = self.0.iter().map(|value| value.items()).collect();
        std::iter::repeat_with(move || Self(items.iter_mut().filter_map(Iterator::next).collect()))
    }
}
