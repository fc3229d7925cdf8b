//! The words of an explanation.

use std::fmt;

use super::{CacheExplanation, Calls, Explanation, FetchExplanation};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        let widths = Widths::of(&self.fetches);
        let last = self.fetches.iter().map(|fetch| fetch.step).max().unwrap_or(1);
        for step in 1..=last {
            for stage in 1..=self.stages {
                let together =
                    |fetch: &&FetchExplanation| fetch.step == step && fetch.stage == stage;
                let mut fetches = self.fetches.iter().filter(together).peekable();
                if fetches.peek().is_none() {
                    continue;
                }
                match last {
                    1 => writeln!(f, "\nstage {stage}")?,
                    _ => writeln!(f, "\nstep {step}, stage {stage}")?,
                }
                fetches.try_for_each(|fetch| widths.line(f, fetch))?;
            }
        }
        Ok(())
    }
}

impl Explanation {
    fn headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if !self.conditions.is_empty() {
            let shown: Vec<_> =
                self.conditions.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            write!(f, " ({})", shown.join(", "))?;
        }
        let total = self.calls;
        if self.fetches.is_empty() {
            write!(f, ": no upstream call")?;
        } else {
            write!(
                f,
                ": {} in {}, {}",
                counted(self.fetches.len(), "fetch", "fetches"),
                counted(self.stages as usize, "stage", "stages"),
                counted(total.calls as usize, "call", "calls"),
            )?;
        }
        if !total.exact && total.calls > 0 && self.has_batches() {
            write!(f, " while each batch fits one request")?;
        }
        if total.fetches_by_parent > 0 {
            let fetches = counted(total.fetches_by_parent as usize, "fetch", "fetches");
            write!(f, ", and one for each parent of {fetches}")?;
        }
        if self.introspection {
            write!(f, "; introspection is answered from the schema")?;
        }
        writeln!(f)
    }

    fn has_batches(&self) -> bool {
        self.fetches.iter().any(|fetch| fetch.calls == Calls::OneBatch)
    }
}

/// How wide the columns are.
struct Widths {
    number: usize,
    request: usize,
    upstream: usize,
    path: usize,
}

impl Widths {
    fn of(fetches: &[FetchExplanation]) -> Self {
        let widest = |text: fn(&FetchExplanation) -> String| {
            fetches.iter().map(|fetch| text(fetch).chars().count()).max().unwrap_or(0)
        };
        Self {
            number: widest(|fetch| fetch.number.to_string()),
            request: widest(|fetch| fetch.request.clone()),
            upstream: widest(|fetch| fetch.upstream.clone()),
            path: widest(|fetch| fetch.path.clone()),
        }
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, fetch: &FetchExplanation) -> fmt::Result {
        let Self { number, request, upstream, path } = *self;
        writeln!(
            f,
            "  {:>number$}. {:request$}  {:upstream$}  {:path$}  {}",
            fetch.number,
            fetch.request,
            fetch.upstream,
            fetch.path,
            words(fetch),
        )
    }
}

/// `1 call for up to 100 keys this.id, rows by userId, after 1, with first: 10`.
fn words(fetch: &FetchExplanation) -> String {
    let key = fetch.key.as_deref();
    let mut words = match (fetch.calls, &fetch.batch, key) {
        (Calls::SharedWith(other), _, None) => format!("in the call of {other}"),
        (Calls::SharedWith(other), _, Some(key)) => format!("in the call of {other}, key {key}"),
        (Calls::One, _, None) => "1 call".to_owned(),
        (Calls::One, _, Some(key)) => format!("1 call, key {key}"),
        (Calls::OneBatch, Some(batch), Some(key)) => {
            format!("1 call for up to {} keys {key}", batch.max)
        }
        (Calls::OneBatch, _, _) => "1 call for all parents".to_owned(),
        (Calls::OneEach, _, Some(key)) => format!("1 call for each key {key}"),
        (Calls::OneEach, _, None) => "1 call for each parent".to_owned(),
    };
    if let Some(batch) = &fetch.batch {
        if fetch.calls == Calls::OneBatch {
            let by = match batch.by.as_str() {
                "@key" => ", rows by name".to_owned(),
                by => format!(", rows by {by}"),
            };
            words.push_str(&by);
        }
        if !batch.alike.is_empty() {
            words.push_str(&format!(", apart by {}", batch.alike.join(", ")));
        }
    }
    if let Some(after) = fetch.after {
        words.push_str(&format!(", after {after}"));
    }
    if !fetch.args.is_empty() {
        let shown: Vec<_> =
            fetch.args.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        words.push_str(&format!(", with {}", shown.join(", ")));
    }
    if let Some(CacheExplanation { max_age, scope }) = fetch.cache {
        let whose = if scope == "PUBLIC" { "for all" } else { "for each caller" };
        words.push_str(&format!(", kept {max_age}s {whose}"));
    }
    words
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
