//! What settings take from outside their files: variables and secret files. Handed in, so that
//! tests and spec documents need neither a real environment nor a disk.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Where `${VAR}` and `secret_file` are looked up.
pub trait Env {
    /// A variable's value; `None` if it is not set.
    ///
    /// # Errors
    /// If it is set to bytes that are not UTF-8.
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8>;

    /// A secret file's bytes and who may read it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn secret_file(&self, path: &Path) -> io::Result<SecretFile>;
}

/// A variable is set, but not to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8;

/// What a secret file holds.
#[derive(Clone)]
pub struct SecretFile {
    /// Its bytes, line end included.
    pub bytes: Vec<u8>,
    /// True if every user of the machine may read it.
    pub world_readable: bool,
}

/// The environment of this process, and the disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

/// A fixed environment: for tests, spec documents and embedders that keep secrets elsewhere.
#[derive(Clone, Default)]
pub struct FixedEnv {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, SecretFile>,
}

impl FixedEnv {
    /// No variable is set and no file exists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The same with a secret file. The path is the project's root joined with what the settings
    /// say; [`Config::from_texts`](super::Config::from_texts) has an empty root.
    #[must_use]
    pub fn with_secret_file(mut self, path: impl Into<PathBuf>, file: SecretFile) -> Self {
        self.files.insert(path.into(), file);
        self
    }
}

impl Env for FixedEnv {
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        Ok(self.variables.get(name).cloned())
    }

    fn secret_file(&self, path: &Path) -> io::Result<SecretFile> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Env for ProcessEnv {
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        std::env::var_os(name).map(|value| value.into_string().map_err(|_| NotUtf8)).transpose()
    }

    fn secret_file(&self, path: &Path) -> io::Result<SecretFile> {
        /// More than any key has; keeps `/dev/zero` out of memory.
        const MOST: u64 = 64 * 1024;
        let file = File::open(path)?;
        let world_readable = world_readable(&file.metadata()?);
        let mut bytes = Vec::new();
        file.take(MOST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 KiB"));
        }
        Ok(SecretFile { bytes, world_readable })
    }
}

#[cfg(unix)]
fn world_readable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn world_readable(_: &std::fs::Metadata) -> bool {
    false
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretFile")
            .field("bytes", &"***")
            .field("world_readable", &self.world_readable)
            .finish()
    }
}

impl fmt::Debug for FixedEnv {
    /// Names only: any variable may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedEnv")
            .field("variables", &self.variables.keys())
            .field("files", &self.files.keys())
            .finish()
    }
}
