//! Checks of `[mock]`: what it answers from, and what it sends.

use super::Checks;
use crate::config::name::ServiceName;
use crate::config::reader::{Located, Mistakes};
use crate::config::settings::{MockSettings, StreamSettings};
use crate::config::{Mock, MockStream};

/// The mock of one upstream; `None`: there is none, or none that could be served.
pub(super) fn check(
    name: &ServiceName,
    settings: &Located<MockSettings>,
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Option<Mock> {
    let MockSettings { data, port, id, latency, failure_rate, stream } = &settings.value;
    let port = port.as_ref().and_then(|port| Some((u16::try_from(port.value.get()).ok()?, port)));
    if let Some((number, written)) = port
        && let Some(owner) = checks.across.ports.insert(number, format!("the mock of `{name}`"))
    {
        checks.error(
            written.span(),
            format!("{owner} has this port already"),
            "give each its own, or take out the key to let the system pick one",
        );
    }
    let streams = streams(stream, mistakes, checks);
    let Some(data) = data else {
        if settings.place.is_some() && !mistakes.touch("data") {
            checks.error(
                settings.span(),
                "this mock has nothing to answer with",
                "add `data = \"mock/NAME.json\"`, a file with the rows it answers with",
            );
        }
        return None;
    };
    let named = checks.not_empty(data, "the file's name");
    let keyed = checks.not_empty(id, "the property's name");
    (named && keyed).then(|| Mock {
        data: checks.text(data),
        port: port.map(|(number, _)| number),
        id: id.value.clone(),
        latency: latency.get(),
        failure_rate: failure_rate.get(),
        streams,
    })
}

fn streams(
    settings: &[Located<StreamSettings>],
    mistakes: &Mistakes,
    checks: &mut Checks<'_>,
) -> Vec<MockStream> {
    let mut known: Vec<MockStream> = Vec::with_capacity(settings.len());
    for stream in settings {
        let StreamSettings { path, rows, kind, every } = &stream.value;
        for (key, is_there, help) in [
            ("path", path.is_some(), "add `path = \"/events\"`: where the stream is asked for"),
            ("rows", rows.is_some(), "add `rows = \"NAME\"`: the collection that it sends"),
        ] {
            if !is_there && !mistakes.has(stream.span().start, key) {
                checks.error(stream.span(), format!("`{key}` is missing"), help);
            }
        }
        let named = checks.not_empty(kind, "the type of the events");
        if kind.value.contains(['\r', '\n']) {
            let help = "write one word, such as `\"notification\"`";
            checks.error(kind.span(), "the type of the events has more than one line", help);
        }
        let (Some(path), Some(rows)) = (path, rows) else { continue };
        let taken = known.iter().any(|other| other.path.as_str() == path.value.as_str());
        if taken {
            let message = format!("there is a stream at `{}` already", path.value.as_str());
            checks.error(path.span(), message, "give each a path of its own");
        }
        let place = path.place.clone();
        let path = Located { value: path.value.as_str().to_owned(), place };
        if checks.not_empty(rows, "the collection's name") && named && !taken {
            known.push(MockStream {
                path: checks.text(&path),
                rows: checks.text(rows),
                kind: kind.value.clone(),
                every: every.get(),
            });
        }
    }
    known
}
