//! Which project a command is about, and reading it.

use std::env;
use std::path::{Path, PathBuf};

use crate::config::{Config, Problems, ProcessEnv};
use crate::gateway::Project;

use super::ending::Ending;
use super::terminal;

/// The option that every command has.
#[derive(Debug, clap::Args)]
pub(super) struct RootArgs {
    /// The project's folder [default: the nearest with an `onedoor.toml`, from the current one
    /// upwards]
    #[arg(long, value_name = "DIR", global = true)]
    root: Option<PathBuf>,
}

/// A project's folder, which was not looked into yet.
#[derive(Debug, Clone)]
pub(super) struct Root(PathBuf);

impl RootArgs {
    /// The folder that is meant.
    ///
    /// # Errors
    /// If the folder that was named is none.
    pub(super) fn find(&self) -> Result<Root, Ending> {
        match &self.root {
            Some(root) if root.is_dir() => Ok(Root(root.clone())),
            Some(root) => {
                let message = format!("`{}` is not a folder", root.display());
                Err(Ending::failed(message).with_help("`--root` names the project's folder"))
            }
            None => Ok(Root(nearest())),
        }
    }
}

/// The current folder, or one above. Where there is no project at all, the current one, of which
/// reading it says so.
fn nearest() -> PathBuf {
    let here = PathBuf::from(".");
    let is_project = ["onedoor.toml", "upstreams"].iter().any(|name| here.join(name).exists());
    let above = env::current_dir().ok().filter(|_| !is_project).and_then(|current| {
        let mut above = current.ancestors().skip(1);
        above.find(|folder| folder.join("onedoor.toml").is_file()).map(Path::to_path_buf)
    });
    above.unwrap_or(here)
}

impl Root {
    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The whole project, and the warnings beside it.
    ///
    /// # Errors
    /// If it has mistakes; all problems were shown then.
    pub(super) fn load(&self) -> Result<(Project, Problems), Ending> {
        accepted(Project::load(&self.0, &ProcessEnv))
    }

    /// Its settings alone, and the warnings beside them.
    ///
    /// # Errors
    /// If they have mistakes; all problems were shown then.
    pub(super) fn settings(&self) -> Result<(Config, Problems), Ending> {
        accepted(Config::load(&self.0, &ProcessEnv).finish())
    }
}

fn accepted<T>((read, problems): (Option<T>, Problems)) -> Result<(T, Problems), Ending> {
    match read {
        Some(read) => Ok((read, problems)),
        None => {
            terminal::show(&problems);
            Err(Ending::Mistakes)
        }
    }
}
