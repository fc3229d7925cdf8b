//! The cases as they are written, and what is expected of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value};

use crate::folder;
use crate::outcome::Outcome;

/// A file of cases over one schema.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) schema: String,
    pub(crate) cases: Vec<Case>,
    expected: Map<String, Value>,
}

/// One case: its heading, and its blocks by their kind.
pub(crate) struct Case {
    pub(crate) title: String,
    blocks: BTreeMap<String, String>,
}

impl File {
    /// All files, by name.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(folder().join("cases")).expect("a folder of cases");
        let names = entries.map(|entry| entry.expect("a file").file_name());
        let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        names.iter().filter_map(|name| name.strip_suffix(".md")).map(Self::read).collect()
    }

    fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join("cases").join(format!("{name}.md")));
        let expected = fs::read_to_string(folder().join("expected").join(format!("{name}.json")));
        let expected = expected.expect("expectations; `npm run generate` writes them");
        let expected = serde_json::from_str(&expected).expect("an object of expectations");
        let mut file =
            Self { name: name.to_owned(), schema: String::new(), cases: Vec::new(), expected };
        let mut open: Option<(String, Vec<&str>)> = None;
        for line in text.expect("a file of cases").lines() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some("")) => {
                    let (kind, lines) = open.take().unwrap_or_default();
                    file.block(kind, lines.join("\n"));
                }
                (Some((_, lines)), _) => lines.push(line),
                (None, Some(kind)) => open = Some((kind.to_owned(), Vec::new())),
                (None, None) => {
                    if let Some(title) = line.strip_prefix("## ") {
                        let (title, blocks) = (title.to_owned(), BTreeMap::new());
                        file.cases.push(Case { title, blocks });
                    }
                }
            }
        }
        file
    }

    fn block(&mut self, kind: String, text: String) {
        match self.cases.last_mut() {
            Some(case) => assert!(case.blocks.insert(kind, text).is_none(), "{}", case.title),
            None => self.schema = text,
        }
    }

    /// What graphql-js said of a case.
    pub(crate) fn expected(&self, case: &Case) -> Result<Outcome, String> {
        let expected = self.expected.get(&case.title).ok_or("no expectation was generated")?;
        if expected["of"].as_str() == Some(&self.digest(case)) {
            Ok(Outcome::read(expected))
        } else {
            Err("the expectation is of another text of the case".to_owned())
        }
    }

    /// The expectations that are of no case.
    pub(crate) fn without_a_case(&self) -> Vec<&String> {
        let known = |title: &&String| !self.cases.iter().any(|case| case.title == **title);
        self.expected.keys().filter(known).collect()
    }

    /// FNV-1a of all that a case is made of.
    fn digest(&self, case: &Case) -> String {
        let kinds = ["graphql", "json variables", "text operation", "json root"];
        let mut parts = vec![&*self.schema, &*case.title];
        parts.extend(kinds.map(|kind| case.block(kind).unwrap_or_default()));
        let hash = parts.join("\0").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

impl Case {
    fn block(&self, kind: &str) -> Option<&str> {
        self.blocks.get(kind).map(String::as_str)
    }

    /// The rule it is of, `5.3.1`.
    pub(crate) fn rule(&self) -> (&str, &str) {
        let head = self.title.split_once(": ").map_or(&*self.title, |(head, _)| head);
        head.split_once(' ').unwrap_or((head, ""))
    }

    /// What it shows.
    pub(crate) fn shows(&self) -> &str {
        self.title.split_once(": ").map_or("", |(_, shows)| shows)
    }

    pub(crate) fn document(&self) -> &str {
        self.block("graphql").expect("a case has a document")
    }

    pub(crate) fn variables(&self) -> &str {
        self.block("json variables").unwrap_or("{}")
    }

    pub(crate) fn operation(&self) -> Option<&str> {
        self.block("text operation")
    }

    /// The data of the root fields, if the case is executed.
    pub(crate) fn root(&self) -> Option<Map<String, Value>> {
        self.block("json root").map(|root| serde_json::from_str(root).expect("a JSON object"))
    }
}
