//! The `onedoor` program: see `onedoor --help`, or [`onedoor::cli`].

use std::process::ExitCode;

/// Requests allocate little and free at once, from several threads: what mimalloc is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onedoor::cli::run(std::env::args_os())
}
