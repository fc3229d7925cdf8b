//! What an expression reads and calls, found in its syntax tree.

use std::ops::Range;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators,
};
use cel::{Context, Program};

use super::{ENVIRONMENT, MAX_DEPTH, MAX_LOOPS};
use crate::template::reference::nearest;
use crate::template::{Error, Root};

/// One read of a variable: as far down as the names are written out.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) root: Root,
    pub(super) names: Vec<String>,
    /// Whether `has()` only asks if it is there.
    pub(super) is_test: bool,
    /// Whether any step is written as an index: `this['a']`.
    pub(super) is_indexed: bool,
    pub(super) span: Range<usize>,
}

/// All there are.
pub(super) const ROOTS: [&str; 4] = ["this", "args", "claims", "answer"];

/// For what depends on the caller alone.
pub(super) const CLAIMS: [&str; 1] = ["claims"];

/// Types, which `type(x)` gives.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

const FUNCTIONS: [&str; 37] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "strings.quote",
    "math.@max",
    "math.@min",
    "math.abs",
    "math.ceil",
    "math.floor",
    "math.isFinite",
    "math.isInf",
    "math.isNaN",
    "math.round",
    "math.sign",
    "math.sqrt",
    "math.trunc",
];

const OPERATORS: [&str; 19] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
    operators::IN,
];

/// Checks all names, of which only these roots may be read; returns what is read.
pub(super) fn check(
    program: &Program,
    text: &str,
    roots: &'static [&'static str],
) -> Result<Vec<Read>, Error> {
    let mut checker = Checker {
        text,
        roots,
        source: program.source_info(),
        reads: Vec::new(),
        bound: Vec::new(),
        loops: 0,
        depth: 0,
    };
    checker.visit(program.expression())?;
    Ok(checker.reads)
}

struct Checker<'e> {
    text: &'e str,
    /// What may be read.
    roots: &'static [&'static str],
    source: &'e SourceInfo,
    reads: Vec<Read>,
    /// Variables of the comprehensions around.
    bound: Vec<&'e str>,
    loops: usize,
    depth: usize,
}

impl<'e> Checker<'e> {
    fn visit(&mut self, node: &'e IdedExpr) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(self
                .error(node, format!("this is nested more than {MAX_DEPTH} deep"))
                .help(
                    "a chain of operators counts too: use a list and `join`, or several fields",
                ));
        }
        if let Some(read) = self.read(node).filter(|read| read.names.len() < MAX_DEPTH) {
            self.reads.push(read);
            return Ok(());
        }
        self.depth += 1;
        let visited = self.visit_inside(node);
        self.depth -= 1;
        visited
    }

    fn visit_inside(&mut self, node: &'e IdedExpr) -> Result<(), Error> {
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.ident(name, node),
            Expr::Select(select) => self.visit(&select.operand),
            Expr::Call(call) => self.call(call, node),
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.visit(item)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key)?;
                    self.visit(&entry.value)
                }
                EntryExpr::StructField(field) => self.visit(&field.value),
            }),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, node),
            Expr::Struct(_) => Err(self
                .error(node, "there are no message types here")
                .help("`{'name': value}` is a map")),
            Expr::Unspecified => Err(self.error(node, "this is no CEL expression")),
        }
    }

    fn ident(&self, name: &str, node: &IdedExpr) -> Result<(), Error> {
        if name.starts_with('@') || self.bound.contains(&name) || TYPES.contains(&name) {
            return Ok(());
        }
        if ROOTS.contains(&name) {
            let only = format!("this expression reads `{}` only", self.roots.join("`, `"));
            return Err(self.error(node, format!("`{name}` is not known here")).help(only));
        }
        let error = self.error(node, format!("nothing is called `{name}` in an expression"));
        let known = self.roots.iter().chain(&self.bound).copied();
        Err(match nearest(name, known) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if self.roots == CLAIMS => {
                error.help(format!("`claims.{name}` is a claim of the caller's token"))
            }
            None => error.help(format!(
                "`this.{name}` is a property of the object around, `args.{name}` an argument"
            )),
        })
    }

    fn call(&mut self, call: &'e CallExpr, node: &'e IdedExpr) -> Result<(), Error> {
        let namespace = match call.target.as_deref().map(|target| &target.expr) {
            Some(Expr::Ident(name)) if matches!(name.as_str(), "math" | "strings") => {
                Some(name.as_str()).filter(|name| !self.bound.contains(name))
            }
            _ => None,
        };
        let name = match namespace {
            Some(namespace) => format!("{namespace}.{}", call.func_name),
            None => call.func_name.clone(),
        };
        if !OPERATORS.contains(&name.as_str()) && !FUNCTIONS.contains(&name.as_str()) {
            let error = self.error(node, format!("there is no function `{name}` here"));
            return Err(match nearest(&name, FUNCTIONS) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        self.written_out(call)?;
        if let (None, Some(target)) = (namespace, &call.target) {
            self.visit(target)?;
        }
        call.args.iter().try_for_each(|argument| self.visit(argument))
    }

    /// Patterns, replacements and the like multiply the cost, so they must be the author's own.
    fn written_out(&self, call: &CallExpr) -> Result<(), Error> {
        let position = usize::from(call.target.is_none());
        let (position, what) = match call.func_name.as_str() {
            "matches" => (position, "pattern"),
            "replace" => (position + 1, "replacement"),
            "join" => (position, "separator"),
            "indexOf" | "lastIndexOf" => (position, "text looked for"),
            _ => return Ok(()),
        };
        let Some(argument) = call.args.get(position) else { return Ok(()) };
        let Expr::Literal(LiteralValue::String(written)) = &argument.expr else {
            let name = &call.func_name;
            return Err(self
                .error(argument, format!("the {what} of `{name}` must be written out"))
                .help("one that a client or an upstream sends could make it arbitrarily slow"));
        };
        if call.func_name != "matches" {
            return Ok(());
        }
        bad_pattern(written.inner()).map_or(Ok(()), |message| Err(self.error(argument, message)))
    }

    fn comprehension(
        &mut self,
        comprehension: &'e ComprehensionExpr,
        node: &'e IdedExpr,
    ) -> Result<(), Error> {
        self.visit(&comprehension.iter_range)?;
        self.visit(&comprehension.accu_init)?;
        if self.loops == MAX_LOOPS {
            return Err(self
                .error(node, format!("more than {MAX_LOOPS} loops within each other"))
                .help("let the upstream do this, or split the value over several fields"));
        }
        let outside = self.bound.len();
        self.bound.push(&comprehension.iter_var);
        self.bound.extend(comprehension.iter_var2.as_deref());
        self.loops += 1;
        self.visit(&comprehension.loop_cond)?;
        self.visit(&comprehension.loop_step)?;
        self.visit(&comprehension.result)?;
        self.loops -= 1;
        self.bound.truncate(outside);
        Ok(())
    }

    /// `this.a['b'].c` down to the first step that is not a name written out.
    fn read(&self, node: &IdedExpr) -> Option<Read> {
        let mut names = Vec::new();
        let (mut is_test, mut is_indexed) = (false, false);
        let mut at = node;
        loop {
            match &at.expr {
                Expr::Ident(name) if self.is_root(name) => {
                    let root = match name.as_str() {
                        "this" => Root::This,
                        "args" => Root::Args,
                        "claims" => Root::Claims,
                        "answer" => Root::Answer,
                        _ => return None,
                    };
                    names.reverse();
                    let span = self.span(at);
                    return Some(Read { root, names, is_test, is_indexed, span });
                }
                Expr::Select(select) => {
                    is_test |= select.test;
                    names.push(select.field.clone());
                    at = &select.operand;
                }
                Expr::Call(call) if call.func_name == operators::INDEX && call.target.is_none() => {
                    let [operand, index] = call.args.as_slice() else { return None };
                    let Expr::Literal(LiteralValue::String(name)) = &index.expr else {
                        return None;
                    };
                    names.push(name.inner().to_owned());
                    is_indexed = true;
                    at = operand;
                }
                _ => return None,
            }
        }
    }

    fn is_root(&self, name: &str) -> bool {
        self.roots.contains(&name) && !self.bound.contains(&name)
    }

    fn error(&self, node: &IdedExpr, message: impl Into<String>) -> Error {
        Error::new(self.span(node), message)
    }

    fn span(&self, node: &IdedExpr) -> Range<usize> {
        let Some((start, stop)) = self.source.offset_for(node.id) else {
            return 0..self.text.len();
        };
        let start = self.text.floor_char_boundary(start as usize);
        let end = self.text.ceil_char_boundary((stop as usize).saturating_add(1));
        start..end.max(start)
    }
}

/// Why a pattern is no regular expression, if it is none: CEL itself is asked.
fn bad_pattern(pattern: &str) -> Option<String> {
    let mut context = Context::with_env(std::sync::Arc::clone(&ENVIRONMENT));
    context.add_variable_from_value("pattern", pattern.to_owned());
    let program = ENVIRONMENT.compile("''.matches(pattern)").ok()?;
    let error = program.execute(&context).err()?.to_string();
    // Its last line says what is wrong, those before show the pattern.
    let why = error.lines().last().unwrap_or_default();
    Some(format!("this is no regular expression: {}", why.trim_start_matches("error: ")))
}
