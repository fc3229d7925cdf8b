//! CEL expressions (`@computed`, `@allow`): parsed and checked at start, evaluated over the values
//! they read and no others.
//!
//! `this`, `args`, `claims` and `answer` are objects. What is absent reads as null, and below it
//! too, so that an upstream that leaves nulls out is no error; `has(this.nick)` tells absent from
//! there. Integers are CEL `int` where they fit, else `uint`, else `double`.
//!
//! The cost: an expression is the author's, the size of what it reads is a client's or an
//! upstream's. Only functions whose result is at most as long as what they read, times what the
//! author wrote, are known here; a pattern, a replacement and a separator must be written in the
//! expression itself. Comprehensions (`all`, `map`, ..) may nest two deep. What still
//! multiplies is two lists or strings of the outside within one loop.

mod check;
mod value;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program};

use super::reference::{self, Slot};
use super::{Error, Root};
use crate::json::{Path, Segment, Value};

use value::Shape;

/// How deep comprehensions may nest.
const MAX_LOOPS: usize = 2;

/// How deep a syntax tree may be; evaluating it recurses. A sum of so many terms is that deep.
const MAX_DEPTH: usize = 64;

/// The longest expression, in bytes.
const MAX_TEXT: usize = 8 << 10;

/// The parser recurses as deep as the text makes it, before any depth can be told: this holds
/// whatever [`MAX_TEXT`] allows, with unoptimized frames too.
const PARSER_STACK: usize = 128 << 20;

/// What an expression, or a key path, may read.
#[derive(Clone, Copy, Debug)]
pub struct ComputedValues<'a> {
    /// The field's arguments, an object.
    pub args: Value<'a>,
    /// The captured values of the object around, by slot.
    pub this: &'a [Option<Value<'a>>],
    /// The caller's claims; `None` for an anonymous caller, whose claims are all null.
    pub claims: Option<Value<'a>>,
    /// The answer of the `@rest` beside it.
    pub answer: Option<Value<'a>>,
}

/// A checked CEL expression.
pub struct Expression {
    program: Program,
    references: Vec<ExpressionReference>,
    shapes: Vec<(Root, Shape)>,
    /// Whether `this` is read by plain names only: then each of them is a variable (`this.total`),
    /// and no map is made to hold them.
    names_this: bool,
}

/// A value that an expression reads, as a whole or in parts.
#[derive(Clone, PartialEq, Debug)]
pub struct ExpressionReference {
    /// `args`, `this`, `claims` or `answer`.
    pub root: Root,
    /// The path below it: properties only, `.` where the whole is read, or parts of it that are
    /// not known at start.
    pub path: Path,
    /// Where it is first read, in bytes of the expression.
    pub span: Range<usize>,
    slot: Slot,
}

/// The functions an expression may call are the same for all of them.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    // Registered once on a fresh environment, where no name can be taken.
    let strings = env.add_extension(cel::extensions::strings);
    let math = env.add_extension(cel::extensions::math);
    debug_assert!(strings.is_ok() && math.is_ok());
    Arc::new(env)
});

impl ExpressionReference {
    /// As an expression names it, if by plain names: `this.total`.
    fn name(&self) -> String {
        let mut name = self.root.name().to_owned();
        for segment in self.path.segments() {
            if let Segment::Property(property) = segment {
                name.push('.');
                name.push_str(property);
            }
        }
        name
    }
}

impl Expression {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// The first mistake: a syntax error, an unknown variable or function, a pattern that is not
    /// written out.
    pub fn parse(text: &str) -> Result<Expression, Error> {
        Expression::parse_over(text, &check::ROOTS)
    }

    /// The same of an expression that reads `claims` and nothing else.
    pub(super) fn parse_over_claims(text: &str) -> Result<Expression, Error> {
        Expression::parse_over(text, &check::CLAIMS)
    }

    fn parse_over(text: &str, roots: &'static [&'static str]) -> Result<Expression, Error> {
        if text.len() > MAX_TEXT {
            let message = format!("an expression may have {MAX_TEXT} bytes at most");
            return Err(Error::new(MAX_TEXT..text.len(), message));
        }
        let parsed = std::thread::scope(|scope| {
            let parser = std::thread::Builder::new().stack_size(PARSER_STACK);
            let running =
                parser.spawn_scoped(scope, || Expression::parse_deep(text, roots)).ok()?;
            running.join().ok()
        });
        parsed.unwrap_or_else(|| Err(Error::new(0..text.len(), "this cannot be read as CEL")))
    }

    fn parse_deep(text: &str, roots: &'static [&'static str]) -> Result<Expression, Error> {
        let program = compile(text)?;
        let reads = check::check(&program, text, roots)?;
        let mut references: Vec<ExpressionReference> = Vec::new();
        let mut shapes: Vec<(Root, Shape)> = Vec::new();
        let is_named = |read: &check::Read| {
            let is_name = |name: &String| !name.contains('.');
            !read.is_test && !read.is_indexed && read.names.iter().all(is_name)
        };
        let mut of_this = reads.iter().filter(|read| read.root == Root::This);
        let names_this = of_this.all(|read| !read.names.is_empty() && is_named(read));
        for read in reads {
            let at = shapes.iter().position(|(root, _)| *root == read.root).unwrap_or_else(|| {
                shapes.push((read.root.clone(), Shape::default()));
                shapes.len() - 1
            });
            if let Some((_, shape)) = shapes.get_mut(at) {
                shape.add(&read.names, read.is_test);
            }
            references.push(ExpressionReference {
                path: path_of(&read.names),
                root: read.root,
                span: read.span,
                slot: Slot::default(),
            });
        }
        references.sort_by_key(|reference| reference.path.segments().len());
        let mut kept: Vec<ExpressionReference> = Vec::new();
        for reference in references {
            let covered = kept.iter().any(|known| {
                known.root == reference.root
                    && reference.path.segments().starts_with(known.path.segments())
            });
            if !covered {
                kept.push(reference);
            }
        }
        let mut captures = Vec::new();
        for reference in kept.iter_mut().filter(|found| found.root == Root::This) {
            reference.slot = Slot::bind(&reference.path, &mut captures);
        }
        Ok(Expression { program, references: kept, shapes, names_this })
    }

    /// The values it reads; none of them lies within another. Those of `this` have their slots in
    /// this order.
    pub fn references(&self) -> &[ExpressionReference] {
        &self.references
    }

    /// Reads what lies in `args` by the names that the wire has. `wire` is asked for the path of
    /// each property that is read, and gives a path of as many steps.
    pub fn rename_args(&mut self, wire: &mut dyn FnMut(&Path) -> Path) {
        let args = self.shapes.iter_mut().filter(|(root, _)| *root == Root::Args);
        args.for_each(|(_, shape)| shape.rename(&mut Vec::new(), wire));
    }

    /// Evaluates it to a JSON text. Properties of a map come out sorted by name.
    ///
    /// # Errors
    /// Why there is no value; for the log, since it may hold an upstream's data.
    pub fn evaluate(&self, values: &ComputedValues<'_>) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        value::write(&mut out, &self.result(values)?, 0)?;
        Ok(out)
    }

    /// Evaluates a condition (`@allow(if:)`).
    ///
    /// # Errors
    /// As [`Expression::evaluate`]; also where the value is no Boolean. Both mean no.
    pub fn holds(&self, values: &ComputedValues<'_>) -> Result<bool, String> {
        match self.result(values)? {
            cel::Value::Bool(holds) => Ok(holds),
            other => Err(format!("a condition must be a bool, not {}", other.type_of())),
        }
    }

    fn result(&self, values: &ComputedValues<'_>) -> Result<cel::Value, String> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (root, shape) in &self.shapes {
            if *root == Root::This && self.names_this {
                for reference in self.references.iter().filter(|read| read.root == Root::This) {
                    let captured = values.this.get(reference.slot.index).copied().flatten();
                    let value = shape.part_of(&reference.path, captured)?;
                    context.add_variable_from_value(reference.name(), value);
                }
            } else {
                let value = self.variable(root, shape, values)?;
                context.add_variable_from_value(root.name(), value);
            }
        }
        self.program.execute(&context).map_err(|error| error.to_string())
    }

    fn variable(
        &self,
        root: &Root,
        shape: &Shape,
        values: &ComputedValues<'_>,
    ) -> Result<cel::Value, String> {
        let whole = match root {
            Root::Args => Some(values.args),
            Root::Claims => values.claims,
            Root::Answer => values.answer,
            _ => {
                let captured = |reference: &ExpressionReference| {
                    values.this.get(reference.slot.index).copied().flatten()
                };
                let parts = self.references.iter().filter(|reference| reference.root == *root);
                return shape.assemble(parts.map(|part| (&part.path, captured(part))));
            }
        };
        Ok(shape.read(whole, 0)?.unwrap_or(cel::Value::Null))
    }
}

fn compile(text: &str) -> Result<Program, Error> {
    ENVIRONMENT.compile(text).map_err(|errors| {
        let Some(first) = errors.errors.first() else {
            return Error::new(0..text.len(), "this is no CEL expression");
        };
        let at = offset(text, first.pos);
        let end = text.ceil_char_boundary((at + 1).min(text.len()));
        let error = Error::new(at..end, format!("this is no CEL: {}", syntax(&first.msg)));
        let is_assignment = text.get(at..).is_some_and(|rest| rest.starts_with('='));
        if is_assignment { error.help("`==` tells whether two are equal") } else { error }
    })
}

/// The parser's words, without the list of all tokens that could follow.
fn syntax(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    if message == "mismatched input '<EOF>'" {
        return "it ends before it is whole".to_owned();
    }
    let quoted = |text: &str| text.trim_matches('\'').to_owned();
    if let Some(input) = message.strip_prefix("token recognition error at: ") {
        return format!("`{}` cannot stand here", quoted(input).trim());
    }
    match message.split_once(" input ") {
        Some(("mismatched" | "extraneous", input)) => {
            format!("`{}` cannot stand here", quoted(input))
        }
        _ => message.to_owned(),
    }
}

/// The byte at a line and column, both from 1 and the column in characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

fn path_of(names: &[String]) -> Path {
    let steps: Vec<Segment> =
        names.iter().map(|name| Segment::Property(name.as_str().into())).collect();
    reference::path_of(&steps)
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("references", &self.references).finish_non_exhaustive()
    }
}
