//! (c) from the process to the first answer, on a store that is there.

use super::Bench;
use super::figures::{Figures, Target, median};
use super::serving::create;
use crate::server::{MANY_SPACES, Server};
use crate::tree;
use std::time::Duration;

pub(super) fn measure(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    let data = tree::empty("bench-start")?.join("data");
    let objects = bench.sizes.objects;
    let start = || Server::start(&bench.program, &data, &[MANY_SPACES]);
    let server = start()?;
    println!("filling: {objects} objects");
    create(&server, Duration::from_secs(600), objects)?;
    server.stop()?;
    let mut times = Vec::new();
    for _ in 0..bench.sizes.starts {
        let server = start()?;
        times.push(server.first_answer.as_secs_f64() * 1000.0);
        server.stop()?;
    }
    let name = format!("(c) start on {objects} objects to the first answer");
    figures.add(&name, median(times), "ms", Target::AtMost(50.0));
    Ok(())
}
