//! A project's files have changed: what runs is replaced if they are good, and told of if not.

use std::path::PathBuf;

use crate::cli::root::Root;
use crate::cli::size::Size;
use crate::cli::terminal;
use crate::config::Config;

use super::project::{self, Files, Good, Read};
use super::running::Running;
use super::watch::Watch;

const AS_BEFORE: &str = "not reloaded: the gateway goes on as before\n";

/// Keeps what runs as the files are.
pub(super) struct Reloader {
    root: PathBuf,
    real: Vec<String>,
    /// As it was when the command started: some of it cannot be changed while it runs.
    started: Config,
    /// What was read last, good or not.
    files: Files,
    running: Running,
}

impl Reloader {
    /// For what runs, and was read from these files.
    pub(super) fn new(
        root: &Root,
        real: &[String],
        started: Config,
        files: Files,
        running: Running,
    ) -> Self {
        Self { root: root.path().to_path_buf(), real: real.to_vec(), started, files, running }
    }

    /// Does so for each change. Never ends by itself.
    pub(super) async fn run(mut self, mut watch: Watch) {
        loop {
            watch.changed().await;
            let (root, real) = (self.root.clone(), self.real.clone());
            let read = tokio::task::spawn_blocking(move || project::read(&root, &real)).await;
            // A panic there was logged as it happened; the next change is another chance.
            let Ok(read) = read else { continue };
            if read.files != self.files {
                self.take(read, &mut watch).await;
            }
        }
    }

    async fn take(&mut self, read: Read, watch: &mut Watch) {
        let Read { good, problems, files } = read;
        let changed = files.changed_since(&self.files).join(", ");
        let told = match good {
            None => {
                terminal::show(&problems);
                Err(AS_BEFORE.to_owned())
            }
            Some(good) => {
                terminal::show_briefly(&problems);
                watch.follow(project::folders(&self.root, &good.project.config));
                self.replace(good, &changed).await
            }
        };
        self.files = files;
        match told {
            // If standard output is gone there is nobody to tell.
            Ok(text) => drop(terminal::print(&text)),
            Err(text) => terminal::say(&text),
        }
    }

    async fn replace(&mut self, good: Good, changed: &str) -> Result<String, String> {
        let size = Size::of(&good.project);
        let later = self.only_at_start(&good.project.config);
        match self.running.replace(good).await {
            Ok(()) => Ok(format!("reloaded {changed}: {size}\n{later}")),
            Err(ending) => {
                ending.show();
                Err(AS_BEFORE.to_owned())
            }
        }
    }

    /// What has changed and takes effect at the next start only.
    fn only_at_start(&self, now: &Config) -> String {
        let listen = (now.listen != self.started.listen).then_some("`listen`");
        let log = (now.log != self.started.log).then_some("`[log]`");
        let of = |name| format!("  {name} has changed too: that takes effect at the next start\n");
        listen.into_iter().chain(log).map(of).collect()
    }
}
