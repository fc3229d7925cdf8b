//! A response in pieces: what a plan of a portion gives -> what the client is sent, in the format it
//! asked for. Pure.
//!
//! In what such a plan gives, keys that begin with `@` only lead on, and `@@3` says that part 3
//! belongs there; see [`crate::plan::build_portion`].

use std::sync::Arc;

use super::Incremental;
use super::places::{Places, Step};
use super::ran::{Error, Ran};
use super::response::{write_error, write_list, write_path};
use super::sent::{Delivered, Sent};
use crate::json::{Kind, Value, write_string};
use crate::plan::{Brings, Part, PartId};
use crate::projection::PathStep;

/// Where a part belongs.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) part: PartId,
    path: Vec<Step>,
    id: u32,
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
    /// The parts that belong to each place and were announced there.
    known: Places<Vec<PartId>>,
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
    /// Where the client has a null: what failed there it has been told.
    told: Places<()>,
}

/// What a part brings at one place.
struct Brought<'r> {
    position: Position,
    /// After how many items a list's others come; `None`: it is no list.
    items_from: Option<usize>,
    /// Of each object its place, and the fields; of a list one entry with its items.
    entries: Vec<(Vec<Step>, Vec<u8>)>,
    /// Whether a null went up to where it belongs.
    failed: bool,
    /// What failed there or below, whatever it is of.
    errors: Vec<&'r Error>,
    /// The parts that belong to it.
    found: Vec<(PartId, Vec<Step>)>,
}

impl<'r> Brought<'r> {
    fn new(position: Position, items_from: Option<usize>) -> Self {
        let (entries, errors, found) = (Vec::new(), Vec::new(), Vec::new());
        Self { position, items_from, entries, failed: false, errors, found }
    }

    /// The errors of what is brought: of fields, or of a list's items after so many.
    fn own_errors(&self) -> Vec<&'r Error> {
        let steps = self.position.path.len();
        let is_own = |error: &&&Error| match (self.items_from, error.path.get(steps)) {
            (None, _) => error.is_own_after(steps),
            (Some(first), Some(Step::Index(index))) => *index as usize >= first,
            (Some(_), _) => true,
        };
        self.errors.iter().filter(is_own).copied().collect()
    }

    /// What is told of it beside its entries, or in their place.
    fn told_errors(&self, ran: &'r Ran) -> Vec<&'r Error> {
        let errors = match (self.failed, self.items_from) {
            // What leads there has failed, too.
            (true, None) => self.errors.clone(),
            _ => self.own_errors(),
        };
        errors.into_iter().chain(&ran.lost).collect()
    }
}

impl Writer {
    pub(super) fn new(parts: Vec<Part>, first_items: Vec<usize>, format: Incremental) -> Self {
        Self {
            parts,
            first_items,
            format,
            announced: 0,
            known: Places::default(),
            waiting: Vec::new(),
            sent: Delivered::default(),
        }
    }

    /// The first piece.
    pub(super) fn first(&mut self, ran: Ran) -> Piece {
        let mut data = Vec::new();
        let mut walk = Walk::default();
        match ran.root() {
            Some(root) => self.copy(root, &Sent::default(), &mut walk, &mut data),
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
        let mut brought = self.brought(mine, ran);
        let mut found = Vec::new();
        for came in brought.iter_mut().filter(|it| !it.failed) {
            self.sent.at(&came.position.path, part, ran);
            // Of what failed nothing is sent, and so nothing that belongs to it.
            found.append(&mut came.found);
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
        let mut announced = Vec::new();
        for (part, path) in found {
            // Of two parts that select the same fragment each has its mark.
            let known = self.known.entry(&path).get_or_insert_default();
            if known.contains(&part) {
                continue;
            }
            known.push(part);
            announced.push(Position { part, path, id: self.announced });
            self.announced += 1;
        }
        announced
    }

    /// Copies a value without its marks, and notes what they say.
    fn copy(&self, value: Value<'_>, sent: &Sent<'_>, walk: &mut Walk, out: &mut Vec<u8>) {
        if sent.is_null() {
            walk.told.put(&walk.path, ());
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

    /// What a part brings at these places, in their order.
    fn brought<'r>(&self, positions: Vec<Position>, ran: &'r Ran) -> Vec<Brought<'r>> {
        let mut places = Places::default();
        let mut brought = Vec::with_capacity(positions.len());
        for (nth, position) in positions.into_iter().enumerate() {
            places.put(&position.path, nth);
            let items_from = self.items_from(&position);
            brought.push(Brought::new(position, items_from));
        }
        for error in &ran.errors {
            for nth in places.along(&error.path) {
                brought.get_mut(*nth).into_iter().for_each(|it| it.errors.push(error));
            }
        }
        let sent = self.sent.root();
        self.reach((ran.root(), &sent), &places, &mut |nth, value, sent| {
            if let Some(brought) = brought.get_mut(nth) {
                self.bring(brought, value, sent, ran);
            }
        });
        brought
    }

    /// Goes to each of these places, to what lies there and what the client has there.
    fn reach(
        &self,
        (value, sent): (Option<Value<'_>>, &Sent<'_>),
        places: &Places<usize>,
        arrive: &mut impl FnMut(usize, Option<Value<'_>>, &Sent<'_>),
    ) {
        if let Some(nth) = places.here() {
            arrive(*nth, value, sent);
        }
        let mut items = None;
        for (step, places) in places.steps() {
            match step {
                Step::Key(key) => {
                    // What leads there, or the part's own.
                    let leads =
                        value.and_then(|it| it.get(&format!("@{key}")).or_else(|| it.get(key)));
                    self.reach((leads, &sent.member(key)), places, arrive);
                }
                Step::Index(index) => {
                    let listed = || value.into_iter().flat_map(Value::items).zip(sent.items());
                    let items = items.get_or_insert_with(|| listed().collect::<Vec<_>>());
                    let nothing = Sent::default();
                    let item = items.get(*index as usize);
                    let (value, sent) = item.map_or((None, &nothing), |(it, had)| (Some(*it), had));
                    self.reach((value, sent), places, arrive);
                }
            }
        }
    }

    /// What a part brings at one place.
    fn bring(
        &self,
        brought: &mut Brought<'_>,
        value: Option<Value<'_>>,
        sent: &Sent<'_>,
        ran: &Ran,
    ) {
        let mut walk = Walk { path: brought.position.path.clone(), ..Walk::default() };
        match (value.filter(|it| !it.is_null()), brought.items_from) {
            (None, _) => brought.failed = ran.lost.is_some() || !brought.own_errors().is_empty(),
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
            (Some(object), None) => self.fields(object, sent, &mut walk, (brought, ran)),
        }
        brought.found = walk.found;
        brought.errors.retain(|error| walk.told.along(&error.path).next().is_none());
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
        (brought, ran): (&mut Brought<'_>, &Ran),
    ) {
        if sent.is_null() {
            walk.told.put(&walk.path, ());
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
            _ => brought.failed |= ran.has_failed_below(&walk.path),
        }
    }

    fn fields_of_object(
        &self,
        object: Value<'_>,
        sent: &Sent<'_>,
        walk: &mut Walk,
        (brought, ran): (&mut Brought<'_>, &Ran),
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
    fn write_by_path(&self, out: &mut Vec<u8>, brought: &[Brought<'_>], ran: &Ran) -> usize {
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
            told += write_errors_of(out, brought, ran);
            out.push(b'}');
        });
        told
    }
}

/// `,"incremental":[..],"completed":[..]` of the working draft; how many errors are in it.
fn write_by_id(out: &mut Vec<u8>, brought: &[Brought<'_>], ran: &Ran) -> usize {
    let mut told = 0;
    let entries = |it: &Brought<'_>| if it.failed { 0 } else { it.entries.len() };
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
                    told += write_errors_of(out, one, ran);
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
            told += write_errors_of(out, one, ran);
        }
        out.push(b'}');
    });
    told
}

/// `,"errors":[..]` of what a part brings at one place, if there are any; how many.
fn write_errors_of(out: &mut Vec<u8>, brought: &Brought<'_>, ran: &Ran) -> usize {
    let mine = brought.told_errors(ran);
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
        Step::Key(key) => PathStep::Key(key),
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
