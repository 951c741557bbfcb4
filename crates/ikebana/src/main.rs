//! The `ikebana` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ikebana::cli::main(std::env::args_os())
}
