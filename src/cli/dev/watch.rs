//! Notices that files of a project may have changed. Whether they have is for the reader to find
//! out: a notice may come without a change, never a change without a notice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// An editor writes a file in several steps, a version control system many files: so long it must
/// be quiet.
const QUIET: Duration = Duration::from_millis(50);

/// However unquiet it is, a change is noticed after so many steps.
const STEPS: usize = 20;

/// A watch over folders.
pub(super) struct Watch {
    watcher: Result<RecommendedWatcher, notify::Error>,
    changes: mpsc::Receiver<()>,
    folders: BTreeMap<PathBuf, bool>,
    refusal: Option<notify::Error>,
}

impl Watch {
    /// Watches folders; true: with those below.
    pub(super) fn new(folders: BTreeMap<PathBuf, bool>) -> Self {
        // One notice is as good as many.
        let (notice, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if concerns(&event) {
                let _ = notice.try_send(());
            }
        });
        let mut watch = Self { watcher, changes, folders: BTreeMap::new(), refusal: None };
        watch.follow(folders);
        watch
    }

    /// Watches these folders, and no others any more. One that does not exist is noticed when it
    /// comes into being in another that does.
    pub(super) fn follow(&mut self, folders: BTreeMap<PathBuf, bool>) {
        let Ok(watcher) = &mut self.watcher else { return };
        for gone in self.folders.keys() {
            // It may have gone by itself.
            let _ = watcher.unwatch(gone);
        }
        self.refusal = None;
        for (folder, below) in &folders {
            let mode = if *below { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            if let Err(error) = watcher.watch(folder, mode)
                && folder.exists()
            {
                self.refusal = Some(error);
            }
        }
        self.folders = folders;
    }

    /// Completes when something may have changed and it is quiet again.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // There is no watcher: nothing is ever noticed.
            std::future::pending::<()>().await;
        }
        for _ in 0..STEPS {
            match timeout(QUIET, self.changes.recv()).await {
                Ok(Some(())) => {}
                Ok(None) | Err(_) => break,
            }
        }
        // A folder may have been put in another's place, and its watch with it have gone.
        self.follow(self.folders.clone());
    }

    /// Why changes are not noticed, at least not all.
    pub(super) fn refusal(&self) -> Option<String> {
        let refusal = self.watcher.as_ref().err().or(self.refusal.as_ref());
        refusal.map(ToString::to_string)
    }
}

/// Whether an event may be a change of settings, schema or mock data. Reading is none, and neither
/// are the files that editors keep beside the one that is edited.
fn concerns(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) if event.need_rescan() => true,
        Ok(event) => !event.kind.is_access() && event.paths.iter().any(|path| is_ours(path)),
        Err(_) => true,
    }
}

fn is_ours(path: &Path) -> bool {
    let known = ["toml", "graphql", "json"];
    // What has no extension may be a folder.
    path.extension().is_none_or(|extension| known.iter().any(|known| extension == *known))
}
