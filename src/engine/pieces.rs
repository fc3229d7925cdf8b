//! A response in pieces: what a plan of a portion gives -> what the client is sent, in the format it
//! asked for. Pure.
//!
//! In what such a plan gives, keys that begin with `@` only lead on, and `@@3` says that part 3
//! belongs there; see [`crate::plan::build_portion`].

use std::sync::Arc;

use super::Incremental;
use super::response::{self, write_error, write_list, write_path};
use super::sent::{Delivered, Sent};
use crate::failure::Failure;
use crate::fetch::Answered;
use crate::json::{Body, Kind, Value, write_string};
use crate::plan::{Brings, Location, Part, PartId};
use crate::projection::PathStep;

/// One step of a path, owned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(Box<str>),
    Index(u32),
}

/// Where a part belongs.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) part: PartId,
    path: Vec<Step>,
    id: u32,
}

/// What a portion's plan came to.
pub(super) struct Ran {
    data: Option<Body>,
    errors: Vec<Error>,
    /// Why there is nothing at all.
    lost: Option<Error>,
}

impl Ran {
    /// What it has at the root; `None`: null.
    pub(super) fn root(&self) -> Option<Value<'_>> {
        self.data.as_ref().map(Body::root)
    }
}

/// An error, owned.
struct Error {
    /// As in the plan.
    path: Vec<Step>,
    locations: Box<[Location]>,
    failure: Arc<Failure>,
}

impl Error {
    /// Whether it is of what a part brings at this place, and not of what leads there.
    fn belongs_to(&self, place: &[Step]) -> bool {
        let leading = |step: &&Step| matches!(step, Step::Key(key) if key.starts_with('@'));
        let below = self.path.get(place.len()..).unwrap_or_default();
        self.is_below(place)
            && below.iter().any(|step| matches!(step, Step::Key(_)) && !leading(&step))
    }

    fn is_below(&self, place: &[Step]) -> bool {
        place.len() <= self.path.len()
            && place.iter().zip(&self.path).all(|(place, step)| match (place, step) {
                (Step::Key(place), Step::Key(step)) => **place == *step.trim_start_matches('@'),
                (place, step) => place == step,
            })
    }
}

impl Ran {
    pub(super) fn new(answered: Answered<'_>) -> Self {
        let step = |step: &PathStep<'_>| match step {
            PathStep::Key(key) => Step::Key((*key).into()),
            PathStep::Index(index) => Step::Index(*index),
        };
        let errors = answered.errors.iter().map(|failed| Error {
            path: failed.path.iter().map(step).collect(),
            locations: failed.locations.into(),
            failure: Arc::clone(&failed.failure),
        });
        let errors = errors.collect();
        // The gateway's own JSON nests no deeper than a body may.
        let data = answered.data.and_then(|data| Body::parse(data.into()).ok());
        Self { data, errors, lost: None }
    }

    /// Of a part that would be too large to send.
    pub(super) fn too_large() -> Self {
        let failure = Arc::new(response::over_the_limit());
        let lost = Error { path: Vec::new(), locations: Box::default(), failure };
        Self { data: None, errors: Vec::new(), lost: Some(lost) }
    }

    /// The errors of what a part brings at one place: fields, or a list's items after so many.
    fn errors_at(&self, place: &[Step], items_from: Option<usize>) -> Vec<&Error> {
        let mine = |error: &&Error| match (items_from, error.path.get(place.len())) {
            (None, _) => error.belongs_to(place),
            (Some(first), Some(Step::Index(index))) => {
                error.is_below(place) && *index as usize >= first
            }
            (Some(_), _) => error.is_below(place),
        };
        self.errors.iter().filter(mine).chain(&self.lost).collect()
    }
}

/// A piece of a response.
pub(super) struct Piece {
    pub(super) body: Vec<u8>,
    pub(super) errors: usize,
}

/// Writes the pieces of one response.
pub(super) struct Writer {
    parts: Vec<Part>,
    /// After how many items those of each part come, by [`PartId`].
    first_items: Vec<usize>,
    format: Incremental,
    announced: u32,
    /// Where parts belong that have not come.
    pub(super) waiting: Vec<Position>,
    /// What the client has.
    sent: Delivered,
}

/// A walk through what is to be sent.
#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    /// The parts that were met, and where they belong.
    found: Vec<(PartId, Vec<Step>)>,
    /// Where the client has the value, a null above all: its errors have been told.
    told: Vec<Vec<Step>>,
}

/// What a part brings at one place.
struct Brought {
    position: Position,
    /// After how many items a list's others come; `None`: it is no list.
    items_from: Option<usize>,
    /// Of each object its place, and the fields; of a list one entry with its items.
    entries: Vec<(Vec<Step>, Vec<u8>)>,
    /// Whether a null went up to where it belongs.
    failed: bool,
    /// Where the client has the value, whose errors it has been told.
    told: Vec<Vec<Step>>,
}

impl Brought {
    /// The errors of what is brought, of a list after so many items.
    fn errors<'r>(&self, ran: &'r Ran, items_from: Option<usize>) -> Vec<&'r Error> {
        let mut errors = ran.errors_at(&self.position.path, items_from);
        errors.retain(|error| !self.told.iter().any(|place| error.is_below(place)));
        errors
    }
}

impl Writer {
    pub(super) fn new(parts: Vec<Part>, first_items: Vec<usize>, format: Incremental) -> Self {
        Self {
            parts,
            first_items,
            format,
            announced: 0,
            waiting: Vec::new(),
            sent: Delivered::default(),
        }
    }

    /// The first piece.
    pub(super) fn first(&mut self, ran: Ran) -> Piece {
        let mut data = Vec::new();
        let mut walk = Walk::default();
        match &ran.data {
            Some(body) => self.copy(body.root(), &Sent::default(), &mut walk, &mut data),
            None => data.extend_from_slice(b"null"),
        }
        let mut body = vec![b'{'];
        if !ran.errors.is_empty() {
            write_errors(&mut body, &ran.errors.iter().collect::<Vec<_>>());
            body.push(b',');
        }
        body.extend_from_slice(b"\"data\":");
        body.extend_from_slice(&data);
        let announced = self.announce(walk.found);
        if !announced.is_empty() {
            self.write_pending(&mut body, &announced);
            self.waiting.extend(announced);
            body.extend_from_slice(b",\"hasNext\":true");
        }
        body.push(b'}');
        let errors = ran.errors.len();
        self.sent.all_of(Arc::new(ran));
        Piece { body, errors }
    }

    /// The piece that a part brings, wherever it belongs.
    pub(super) fn next(&mut self, part: PartId, ran: &Arc<Ran>) -> Piece {
        let (mine, others) =
            std::mem::take(&mut self.waiting).into_iter().partition(|it| it.part == part);
        self.waiting = others;
        let mine: Vec<Position> = mine;
        let mut found = Vec::new();
        let brought: Vec<Brought> =
            mine.into_iter().map(|position| self.brought(position, ran, &mut found)).collect();
        for came in brought.iter().filter(|it| !it.failed) {
            self.sent.at(&came.position.path, part, ran);
        }
        let announced = self.announce(found);
        let mut body = Vec::new();
        self.write_pending(&mut body, &announced);
        self.waiting.extend(announced);
        let errors = match self.format {
            Incremental::Pending => write_by_id(&mut body, &brought, ran),
            Incremental::Paths => self.write_by_path(&mut body, &brought, ran),
        };
        let more = if self.waiting.is_empty() { "false" } else { "true" };
        body.extend_from_slice(format!(",\"hasNext\":{more}}}").as_bytes());
        if let Some(first) = body.first_mut() {
            *first = b'{';
        }
        Piece { body, errors }
    }

    fn announce(&mut self, found: Vec<(PartId, Vec<Step>)>) -> Vec<Position> {
        let position = |(part, path)| {
            let id = self.announced;
            self.announced += 1;
            Position { part, path, id }
        };
        found.into_iter().map(position).collect()
    }

    /// Copies a value without its marks, and notes what they say.
    fn copy(&self, value: Value<'_>, sent: &Sent<'_>, walk: &mut Walk, out: &mut Vec<u8>) {
        if sent.is_null() {
            walk.told.push(walk.path.clone());
            out.extend_from_slice(b"null");
            return;
        }
        match value.kind() {
            Kind::Object => {
                out.push(b'{');
                let mut is_first = true;
                for (name, member) in value.members() {
                    let name = name.unescape();
                    if name.starts_with('@') {
                        walk.found.extend(self.marked(&name, value, &walk.path));
                        continue;
                    }
                    if !std::mem::take(&mut is_first) {
                        out.push(b',');
                    }
                    self.copy_member((&name, member), sent, walk, out);
                }
                out.push(b'}');
            }
            Kind::Array => {
                out.push(b'[');
                for ((index, item), sent) in (0u32..).zip(value.items()).zip(sent.items()) {
                    if index > 0 {
                        out.push(b',');
                    }
                    walk.path.push(Step::Index(index));
                    self.copy(item, &sent, walk, out);
                    walk.path.pop();
                }
                out.push(b']');
            }
            _ => out.extend_from_slice(value.raw()),
        }
    }

    fn copy_member(
        &self,
        (name, member): (&str, Value<'_>),
        sent: &Sent<'_>,
        walk: &mut Walk,
        out: &mut Vec<u8>,
    ) {
        write_string(out, name);
        out.push(b':');
        walk.path.push(Step::Key(name.into()));
        self.copy(member, &sent.member(name), walk, out);
        walk.path.pop();
    }

    /// The part that a mark in an object tells of, and where it belongs.
    fn marked(&self, mark: &str, object: Value<'_>, path: &[Step]) -> Option<(PartId, Vec<Step>)> {
        let part = PartId(mark.strip_prefix("@@")?.parse().ok()?);
        let mut path = path.to_vec();
        if let Brings::Items(key, _) = &self.parts.get(usize::from(part.0))?.brings {
            // To a null there are no items.
            object.get(key).filter(|list| list.kind() == Kind::Array)?;
            path.push(Step::Key(key.clone()));
        }
        Some((part, path))
    }

    /// What a part brings at one place.
    fn brought(
        &self,
        position: Position,
        ran: &Arc<Ran>,
        found: &mut Vec<(PartId, Vec<Step>)>,
    ) -> Brought {
        let value = ran.root().and_then(|root| at(root, &position.path)).filter(|it| !it.is_null());
        let items_from = self.items_from(&position);
        let sent = position.path.iter().fold(self.sent.root(), |sent, step| sent.below(step));
        let mut walk = Walk { path: position.path.clone(), ..Walk::default() };
        let mut brought =
            Brought { position, items_from, entries: Vec::new(), failed: false, told: Vec::new() };
        match (value, items_from) {
            (None, first) => brought.failed = !brought.errors(ran, first).is_empty(),
            (Some(list), Some(first)) => {
                let mut items = vec![b'['];
                let list = (0u32..).zip(list.items()).zip(sent.items());
                for ((index, item), sent) in list.skip(first) {
                    if items.len() > 1 {
                        items.push(b',');
                    }
                    walk.path.push(Step::Index(index));
                    self.copy(item, &sent, &mut walk, &mut items);
                    walk.path.pop();
                }
                items.push(b']');
                if items.len() > 2 {
                    brought.entries.push((walk.path, items));
                }
            }
            (Some(object), None) => self.fields(object, &sent, &mut walk, (&mut brought, ran)),
        }
        brought.told = walk.told;
        // Of what failed nothing is sent, and so nothing that belongs to it.
        if !brought.failed {
            found.append(&mut walk.found);
        }
        brought
    }

    /// After how many items a list's others come; `None`: it is no list.
    fn items_from(&self, position: &Position) -> Option<usize> {
        match self.parts.get(usize::from(position.part.0))?.brings {
            Brings::Items(..) => self.first_items.get(usize::from(position.part.0)).copied(),
            Brings::Fields => None,
        }
    }

    /// The fields that a part brings to an object, and to those within it that came before.
    fn fields(
        &self,
        value: Value<'_>,
        sent: &Sent<'_>,
        walk: &mut Walk,
        (brought, ran): (&mut Brought, &Ran),
    ) {
        if sent.is_null() {
            walk.told.push(walk.path.clone());
            return;
        }
        match value.kind() {
            Kind::Array => {
                for ((index, item), sent) in (0u32..).zip(value.items()).zip(sent.items()) {
                    walk.path.push(Step::Index(index));
                    self.fields(item, &sent, walk, (brought, ran));
                    walk.path.pop();
                }
            }
            Kind::Object => self.fields_of_object(value, sent, walk, (brought, ran)),
            _ => brought.failed |= ran.errors.iter().any(|error| error.belongs_to(&walk.path)),
        }
    }

    fn fields_of_object(
        &self,
        object: Value<'_>,
        sent: &Sent<'_>,
        walk: &mut Walk,
        (brought, ran): (&mut Brought, &Ran),
    ) {
        let mut data = vec![b'{'];
        let mut had = Vec::new();
        for (name, member) in object.members() {
            let name = name.unescape();
            if name.starts_with("@@") {
                walk.found.extend(self.marked(&name, object, &walk.path));
            } else if let Some(key) = name.strip_prefix('@') {
                had.push((key.to_owned(), member));
            } else if self.format == Incremental::Pending && sent.has(&name) {
                had.push((name.into_owned(), member));
            } else {
                if data.len() > 1 {
                    data.push(b',');
                }
                self.copy_member((&name, member), sent, walk, &mut data);
            }
        }
        data.push(b'}');
        if data.len() > 2 {
            brought.entries.push((walk.path.clone(), data));
        }
        for (key, member) in had {
            let sent = sent.member(&key);
            walk.path.push(Step::Key(key.into()));
            self.fields(member, &sent, walk, (brought, ran));
            walk.path.pop();
        }
    }

    /// `,"pending":[..]`.
    fn write_pending(&self, out: &mut Vec<u8>, announced: &[Position]) {
        if announced.is_empty() || self.format != Incremental::Pending {
            return;
        }
        out.extend_from_slice(b",\"pending\":");
        list(out, announced, |out, position| {
            out.extend_from_slice(format!("{{\"id\":\"{}\",\"path\":", position.id).as_bytes());
            write_steps(out, &position.path);
            self.write_label(out, position.part);
            out.push(b'}');
        });
    }

    fn write_label(&self, out: &mut Vec<u8>, part: PartId) {
        if let Some(label) = self.parts.get(usize::from(part.0)).and_then(|it| it.label.as_ref()) {
            out.extend_from_slice(b",\"label\":");
            write_string(out, label);
        }
    }

    /// `,"incremental":[..]` of 2022-08-24; how many errors are in it.
    fn write_by_path(&self, out: &mut Vec<u8>, brought: &[Brought], ran: &Ran) -> usize {
        let mut told = 0;
        out.extend_from_slice(b",\"incremental\":");
        list(out, brought, |out, brought| {
            let first = brought.items_from;
            let (what, nothing): (_, &[u8]) = match first {
                Some(_) => ("items", b"[]"),
                None => ("data", b"{}"),
            };
            out.extend_from_slice(format!("{{\"{what}\":").as_bytes());
            match brought.entries.first().filter(|_| !brought.failed) {
                Some((_, value)) => out.extend_from_slice(value),
                None if brought.failed => out.extend_from_slice(b"null"),
                None => out.extend_from_slice(nothing),
            }
            out.extend_from_slice(b",\"path\":");
            let mut path = brought.position.path.clone();
            path.extend(first.map(|first| Step::Index(u32::try_from(first).unwrap_or(u32::MAX))));
            write_steps(out, &path);
            self.write_label(out, brought.position.part);
            told += write_errors_of(out, brought, ran, first);
            out.push(b'}');
        });
        told
    }
}

/// `,"incremental":[..],"completed":[..]` of the working draft; how many errors are in it.
fn write_by_id(out: &mut Vec<u8>, brought: &[Brought], ran: &Ran) -> usize {
    let mut told = 0;
    let entries = |it: &Brought| if it.failed { 0 } else { it.entries.len() };
    if brought.iter().any(|it| entries(it) > 0) {
        out.extend_from_slice(b",\"incremental\":[");
        let mut is_first = true;
        for one in brought.iter().filter(|it| !it.failed) {
            for (index, (path, value)) in one.entries.iter().enumerate() {
                let comma = if std::mem::take(&mut is_first) { "" } else { "," };
                let id = one.position.id;
                out.extend_from_slice(format!("{comma}{{\"id\":\"{id}\"").as_bytes());
                let below = path.get(one.position.path.len()..).unwrap_or_default();
                if !below.is_empty() {
                    out.extend_from_slice(b",\"subPath\":");
                    write_steps(out, below);
                }
                let is_list = value.first() == Some(&b'[');
                let what = if is_list { "items" } else { "data" };
                out.extend_from_slice(format!(",\"{what}\":").as_bytes());
                out.extend_from_slice(value);
                if index == 0 {
                    told += write_errors_of(out, one, ran, one.items_from);
                }
                out.push(b'}');
            }
        }
        out.push(b']');
    }
    out.extend_from_slice(b",\"completed\":");
    list(out, brought, |out, one| {
        out.extend_from_slice(format!("{{\"id\":\"{}\"", one.position.id).as_bytes());
        if one.failed {
            told += write_errors_of(out, one, ran, one.items_from.or(Some(0)));
        }
        out.push(b'}');
    });
    told
}

/// `,"errors":[..]` of what a part brings at one place, if there are any; how many.
fn write_errors_of(
    out: &mut Vec<u8>,
    brought: &Brought,
    ran: &Ran,
    items_from: Option<usize>,
) -> usize {
    let mine = brought.errors(ran, items_from);
    if !mine.is_empty() {
        out.push(b',');
        write_errors(out, &mine);
    }
    mine.len()
}

fn write_errors(out: &mut Vec<u8>, errors: &[&Error]) {
    write_list(out, errors, |out, error| {
        let path = path_steps(&error.path);
        write_error(out, &error.failure, &error.locations, Some(&path));
    });
}

fn write_steps(out: &mut Vec<u8>, path: &[Step]) {
    write_path(out, &path_steps(path));
}

fn path_steps(path: &[Step]) -> Vec<PathStep<'_>> {
    path.iter().map(path_step).collect()
}

fn path_step(step: &Step) -> PathStep<'_> {
    match step {
        Step::Key(key) => PathStep::Key(key.trim_start_matches('@')),
        Step::Index(index) => PathStep::Index(*index),
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// The value at a place, by keys that lead on; the last may be the part's own.
fn at<'v>(root: Value<'v>, path: &[Step]) -> Option<Value<'v>> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get(&format!("@{key}")).or_else(|| value.get(key)),
        Step::Index(index) => value.items().nth(*index as usize),
    })
}
